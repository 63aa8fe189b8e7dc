from __future__ import annotations

import io
import os
import pickle
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from worker.backbones.efficientnet_lite import VARIANTS, published_weights
from worker.backbones.names import WeightsUnfit
from worker.backbones.pytorch_weights import read_weights

HEAD = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
ARRAYS = {
    "a.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "b.weight": np.arange(6, dtype=np.float16).reshape(2, 3),
    "steps": np.array(7, np.int64),
}
KINDS = {np.dtype(np.float32): "FloatStorage", np.dtype(np.float16): "HalfStorage", np.dtype(np.int64): "LongStorage"}


def written(arrays: dict[str, np.ndarray], state: Any = None) -> bytes:
    """A file as PyTorch's older way of saving writes it, or one with another thing in the place of its arrays."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for name in KINDS.values():
        setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]

    class Storage:
        def __init__(self, key: str, array: np.ndarray) -> None:
            self.id = ("storage", getattr(torch, KINDS[array.dtype]), key, "cpu", array.size, None)

    class Tensor:
        def __init__(self, key: str, array: np.ndarray) -> None:
            strides = tuple(each // array.itemsize for each in array.strides)
            self.arguments = (Storage(key, array), 0, array.shape, strides, False, OrderedDict())

        def __reduce__(self) -> Any:
            return _rebuild_tensor_v2, self.arguments

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: Any) -> Any:
            return value.id if isinstance(value, Storage) else None

    file = io.BytesIO()
    kept = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        content = OrderedDict((name, Tensor(str(at), array)) for at, (name, array) in enumerate(arrays.items()))
        Pickler(file, 2).dump(content if state is None else state)
    finally:
        for name, module in kept.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
    keys = [str(at) for at in range(len(arrays))]
    values = b"".join(struct.pack("<q", array.size) + array.tobytes() for array in arrays.values())
    return HEAD + file.getvalue() + pickle.dumps(keys, 2) + values


WRITTEN = written(ARRAYS)


def test_arrays_come_out_as_they_were_put_in() -> None:
    read = read_weights(WRITTEN, "weights.pth")
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype


def test_views_are_read_by_their_strides() -> None:
    turned = np.arange(6, dtype=np.float32).reshape(2, 3)
    file = (
        written({"w": turned})
        .replace(b"K\x02K\x03\x86", b"K\x03K\x02\x86")
        .replace(b"K\x03K\x01\x86", b"K\x01K\x03\x86")
    )
    np.testing.assert_array_equal(read_weights(file, "w.pth")["w"], turned.T)


@pytest.mark.parametrize("family", VARIANTS)
def test_the_packages_files_are_read(family: str) -> None:
    arrays = read_weights(published_weights(family).read_bytes(), family)
    assert arrays["_fc.weight"].shape == (1000, 1280)
    assert all(np.isfinite(array).all() for array in arrays.values())


CANARY = "INSERTS_PICKLE_RAN"
RUN = f"import os; os.environ[{CANARY!r}] = '1'"
HOSTILE = {
    "a function by name": b"cbuiltins\nexec\n(X" + struct.pack("<I", len(RUN)) + RUN.encode() + b"tR.",
    "a name on the stack": b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93\x8c"
    + bytes([len(RUN)])
    + RUN.encode()
    + b"\x85R.",
    "an instance": b"(V" + RUN.encode() + b"\nibuiltins\nexec\n.",
    "an object": b"(cbuiltins\nexec\nV" + RUN.encode() + b"\no.",
    "an extension": b"\x82\x01.",
    "what the module itself has": b"cworker.backbones.pytorch_weights\nread_weights\n.",
    "an attribute of an allowed name": b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.fromkeys\x93.",
    "more than there is room for": b"Nr\xff\xff\xff\x7f.",
    "a long text that is not there": b"\x8d\xff\xff\xff\xff\xff\xff\xff\x00.",
    "depth": b"(" * 200_000 + b"t" * 200_000 + b".",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("head", [HEAD, b""], ids=["as the arrays", "as the beginning"])
def test_what_no_file_of_weights_needs_is_refused_and_not_run(head: bytes, body: bytes) -> None:
    os.environ.pop(CANARY, None)
    with pytest.raises(WeightsUnfit):
        read_weights(head + body, "hostile.pth")
    assert CANARY not in os.environ


def test_the_test_would_see_it_run() -> None:
    pickle.loads(HOSTILE["a function by name"])  # noqa: S301
    assert os.environ.pop(CANARY) == "1"


def test_setting_attributes_changes_nothing_that_lasts() -> None:
    body = b"ctorch._utils\n_rebuild_tensor_v2\n}X\x0c\x00\x00\x00__defaults__Nsb."
    with pytest.raises(WeightsUnfit):
        read_weights(HEAD + body, "hostile.pth")
    assert read_weights(WRITTEN, "weights.pth").keys() == ARRAYS.keys()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"K\x03K\x04\x86", b"K\x04K\x04\x86"),  # more rows than there are values for
        (b"K\x04K\x01\x86", b"K\xffK\x01\x86"),  # strides that lead out of it
        (b"K\x03K\x04\x86", b"J\xff\xff\xff\xffK\x04\x86"),  # a negative side
        (b"K\x03K\x04\x86", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86"),
        (struct.pack("<q", 12), struct.pack("<q", 2**40)),
        (struct.pack("<q", 12), struct.pack("<q", -1)),
    ],
)
def test_arrays_that_reach_beyond_their_values_are_refused(old: bytes, new: bytes) -> None:
    assert WRITTEN.count(old) >= 1
    with pytest.raises(WeightsUnfit):
        read_weights(WRITTEN.replace(old, new, 1), "weights.pth")


def test_the_newer_layout_says_what_to_do() -> None:
    with pytest.raises(WeightsUnfit, match="_use_new_zipfile_serialization=False"):
        read_weights(b"PK\x03\x04", "weights.pth")


changes = st.lists(
    st.tuples(
        st.sampled_from(["set", "insert", "cut", "copy"]),
        st.integers(0, len(WRITTEN) - 1),
        st.integers(0, len(WRITTEN) - 1),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)


def changed(data: bytes, steps: list[tuple[str, int, int, bytes]]) -> bytes:
    for kind, at, other, value in steps:
        match kind:
            case "set":
                data = data[:at] + value + data[at + len(value) :]
            case "insert":
                data = data[:at] + value + data[at:]
            case "cut":
                data = data[:at] + data[at + other % 40 :]
            case "copy":
                data = data[:at] + data[other : other + 40] + data[at:]
    return data


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of an escape in a damaged text
@given(changes)
@example([("set", 0, 0, b"")])
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_file_is_read_or_refused_and_nothing_else(steps: list[tuple[str, int, int, bytes]]) -> None:
    try:
        read = read_weights(changed(WRITTEN, steps), "weights.pth")
    except WeightsUnfit:
        return
    assert all(isinstance(array, np.ndarray) and array.nbytes < 2**30 for array in read.values())


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    for length in range(0, len(WRITTEN), 7):
        with pytest.raises(WeightsUnfit):
            read_weights(WRITTEN[:length], str(tmp_path / "weights.pth"))
