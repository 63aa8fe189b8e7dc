"""Arrays out of a weight file of PyTorch, without PyTorch and without running anything that is in the file.

Such a file is a row of pickles with the raw values behind them, and a pickle can name any function of any module to be
called. Here it is looked through before it is read: only instructions that weights need are let through. The reader
itself then knows five names; the two that it calls are Python's own dictionary and a function of this module.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import struct
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from producer.runtime.arrays import AnyArray
from worker.backbones.names import WeightsUnfit

_DTYPES: Final = {"FloatStorage": "<f4", "HalfStorage": "<f2", "LongStorage": "<i8"}
_MAGIC: Final = 0x1950A86A20F9469CFC6C
_PROTOCOL: Final = 1001

# fmt: off
_INSTRUCTIONS: Final = frozenset([
    "PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE",
    "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2",
    "BINGET", "LONG_BINGET", "BINPUT", "LONG_BINPUT", "BINPERSID", "GLOBAL", "REDUCE", "BUILD",
])
# fmt: on
"""All that PyTorch's own weight files consist of."""

_MOST_REMEMBERED: Final = 2**20
"""The highest number that a pickle may put a thing away under: room is made for all numbers up to it."""

_MOST_BYTES: Final = 2**30
"""Of all arrays; no network that is read here has a tenth of it."""


class _Storage(NamedTuple):
    """A row of values somewhere in the file."""

    dtype: str
    key: str


class _Tensor(NamedTuple):
    """A view of a storage, as `torch._utils._rebuild_tensor_v2` is told it; all of it still to be checked."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any


class _Unpickler(pickle.Unpickler):  # noqa: S301 - closed: see above
    """Knows the five names that a file of weights needs; any other ends it."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a global name."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            # A function made for this moment: a pickle may set the attributes of what it has got hold of.
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in _DTYPES:
            return name
        raise WeightsUnfit(f"it asks for {module}.{name}, which no file of weights needs")

    def persistent_load(self, pid: Any) -> _Storage:
        """Return what stands for a storage."""
        match pid:
            case ("storage", str() as kind, str() as key, *_) if kind in _DTYPES:
                return _Storage(_DTYPES[kind], key)
        raise WeightsUnfit("it has values of an unknown kind")


def read_weights(data: bytes, source: str) -> dict[str, AnyArray]:
    """Return the arrays of a PyTorch weight file by name; `source` is what messages call the file.

    Raises:
        WeightsUnfit: it is no such file, is damaged, or asks for anything else than arrays.
    """
    if data[:2] == b"PK":
        raise WeightsUnfit(
            f"{source} is in PyTorch's newer layout: write it again with "
            "`torch.save(weights, FILE, _use_new_zipfile_serialization=False)`"
        )
    try:
        return _read(io.BytesIO(data), len(data))
    except WeightsUnfit as error:
        raise WeightsUnfit(f"{source} is not read: {error}") from error
    except Exception as error:  # whatever a damaged pickle leads Python's reader to; nothing in it has been run
        raise WeightsUnfit(f"{source} is no weight file of PyTorch, or damaged: {error}") from error


def _read(file: io.BytesIO, size: int) -> dict[str, AnyArray]:
    if _load(file) != _MAGIC or _load(file) != _PROTOCOL:
        raise WeightsUnfit("it does not begin as a weight file of PyTorch")
    _load(file)  # about the machine that wrote it
    state, keys = _load(file), _load(file)
    if not isinstance(state, Mapping) or not all(
        isinstance(tensor, _Tensor) and isinstance(tensor.storage, _Storage) for tensor in state.values()
    ):
        raise WeightsUnfit("it does not hold arrays by name")
    dtypes = {tensor.storage.key: np.dtype(tensor.storage.dtype) for tensor in state.values()}
    storages = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        if not 0 <= count * dtypes[key].itemsize <= size - file.tell():
            raise WeightsUnfit("it ends before its values do")
        storages[key] = np.frombuffer(file.read(count * dtypes[key].itemsize), dtypes[key])
    if sum(math.prod(tensor.shape) * 8 for tensor in state.values()) > _MOST_BYTES:  # strides of 0 make much of little
        raise WeightsUnfit("its arrays are larger than a network can need")
    return {str(name): _array(name, tensor, storages[tensor.storage.key]) for name, tensor in state.items()}


def _load(file: io.BytesIO) -> Any:
    """The next pickle, after a look at each of its instructions."""
    start = file.tell()
    for instruction, argument, _ in pickletools.genops(file):
        if instruction.name not in _INSTRUCTIONS:
            raise WeightsUnfit(f"it has the instruction {instruction.name}, which no file of weights needs")
        if instruction.name == "LONG_BINPUT" and int(argument or 0) > _MOST_REMEMBERED:
            raise WeightsUnfit("it puts away more than a file of weights has")
    file.seek(start)
    return _Unpickler(file).load()


def _array(name: object, tensor: _Tensor, values: AnyArray) -> AnyArray:
    """A tensor as an array of its own, held against the storage that it is a view of."""
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    if len(tensor.shape) != len(tensor.strides) or not all(type(number) is int and number >= 0 for number in numbers):
        raise WeightsUnfit(f"array {name} is of an unknown form")
    last = tensor.offset + sum((n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True))
    if 0 in tensor.shape or last >= len(values):
        raise WeightsUnfit(f"array {name} reaches beyond its values")
    strides = [values.itemsize * stride for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides, writeable=False).copy()
