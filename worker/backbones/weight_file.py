"""Weight files in Keras's legacy `.h5` layout: read layer by layer, every shape and value checked, Keras not needed.

The layout: the file's root (or its group `model_weights`) lists `layer_names`; each layer's group lists
`weight_names`, the paths of its arrays. A list too long for one HDF5 attribute is cut into `layer_names0`,
`layer_names1` … (keras/src/legacy/saving/legacy_h5_format.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import h5py
import numpy as np

from producer.runtime.arrays import AnyArray
from worker.backbones.names import WeightsUnfit
from worker.backbones.unfit_weight_files import check_readable, why_no_hdf5, why_other_layout

Shape = tuple[int, ...]

KERNELS: Final = frozenset({"kernel", "depthwise_kernel", "pointwise_kernel"})
"""The weights of convolutions and dense layers: trained ones are never all zero (a bias or a beta may well be)."""

ALIGNMENT: Final = 64
"""Alignment of arrays in bytes: TensorFlow can then compute with their memory directly, without a copy."""


@dataclass(frozen=True)
class LayerSpec:
    """A network's layer with weights: what a file must hold for it.

    `auto_named` says that Keras numbered the layer (`conv2d_17`): such a name differs from one Keras version to
    the next, so it identifies nothing in a file.
    """

    name: str
    auto_named: bool
    weight_names: tuple[str, ...]
    shapes: tuple[Shape, ...]


class WeightFile:
    """An open weight file. `layers` maps each layer that has weights, in the file's order, to their shapes.

    Raises:
        WeightsUnfit: the file cannot be read as HDF5, or not in the legacy Keras layout; the message says what it is.
        WeightsMissing: there is no such file, or it is a folder.
        OSError: it cannot be read at all; the message says why.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        check_readable(path)
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise WeightsUnfit(why_no_hdf5(path, error)) from error
        root = self._file.get("model_weights", self._file)
        try:
            self._groups = {name: root[name] for name in _names(root, "layer_names")}
            self._arrays = {
                name: [self._dataset(group, weight) for weight in _names(group, "weight_names")]
                for name, group in self._groups.items()
            }
        except (KeyError, OSError, RuntimeError, AttributeError) as error:
            listed = "layer_names" in root.attrs or "layer_names0" in root.attrs
            other = None if listed else why_other_layout(path, root)
            self._file.close()
            if other is not None:
                raise WeightsUnfit(other) from error
            raise WeightsUnfit(
                f"{path} is no weight file in the legacy Keras .h5 layout (layer_names, weight_names): {error}"
            ) from error
        except WeightsUnfit:
            self._file.close()
            raise
        self.layers: dict[str, tuple[Shape, ...]] = {
            name: tuple(tuple(array.shape) for array in arrays) for name, arrays in self._arrays.items() if arrays
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _dataset(self, group: Any, name: str) -> Any:
        dataset = group[name]
        # HDF5 can link to other files; a weight file must not.
        elsewhere = dataset.file.filename != self._file.filename or dataset.external or dataset.is_virtual
        if elsewhere or dataset.dtype.kind not in "fiu":
            raise WeightsUnfit(f"{self.path}: {dataset.name} holds no numbers of this file's own")
        return dataset

    def read(self, layer: str) -> list[AnyArray]:
        """Return the arrays of one layer, in the file's order and its types (a counter is a whole number), aligned.

        Raises:
            WeightsUnfit: the data cannot be read.
        """
        try:
            return [_read(array) for array in self._arrays[layer]]
        except OSError as error:
            raise WeightsUnfit(f"{self.path}: the weights of layer {layer} cannot be read: {error}") from error


def match(file: WeightFile, networks: Sequence[Sequence[LayerSpec]], family: str) -> dict[str, str]:
    """Return which layer of a file belongs to which layer of a network, as far as the file goes; shapes are checked.

    `networks` are the forms that the published network has (with and without its top). A file with as many layers
    as one of them is taken in order, as Keras itself does, unless names contradict that. Any other file is taken by
    name, and there a layer that Keras numbered stays unmatched.

    Raises:
        WeightsUnfit: the file is for another network, or for one of another width.
    """
    matched = _match_names(list(file.layers), networks)
    if not matched:
        raise WeightsUnfit(
            f"{file.path} does not fit {family}: it has {len(file.layers)} layers with weights, the network "
            f"{' or '.join(str(len(network)) for network in networks)}, and no name in common"
        )
    for spec in {spec.name: spec for network in networks for spec in network}.values():
        if spec.name in matched and (shapes := file.layers[matched[spec.name]]) != spec.shapes:
            raise WeightsUnfit(
                f"{file.path} does not fit {family}: layer {spec.name} needs the shapes {list(spec.shapes)}, "
                f"the file's {matched[spec.name]} has {list(shapes)}{_width_hint(spec.shapes, shapes, family)}"
            )
    return matched


def _match_names(held: list[str], networks: Sequence[Sequence[LayerSpec]]) -> dict[str, str]:
    for network in networks:
        in_order = len(network) == len(held) and all(
            spec.auto_named or spec.name == name or spec.name not in held
            for spec, name in zip(network, held, strict=True)
        )
        if in_order:
            return {spec.name: name for spec, name in zip(network, held, strict=True)}
    names = {spec.name for network in networks for spec in network if not spec.auto_named}
    return {name: name for name in held if name in names}


def flaw(spec: LayerSpec, arrays: Sequence[AnyArray]) -> str | None:
    """Return what is wrong with a layer's values, or None: numbers that are not finite, a kernel that is all zero."""
    for name, array in zip(spec.weight_names, arrays, strict=True):
        extremes = np.array([array.min(), array.max()])  # NaN if any value is NaN; makes no copy
        if not np.isfinite(extremes).all():
            return f"the {name} of layer {spec.name} has values that are not numbers"
        if name in KERNELS and not extremes.any():
            return f"the {name} of layer {spec.name} is all zero: this file is incomplete"
    return None


def _read(dataset: Any) -> AnyArray:
    """A dataset's values in aligned memory, in this machine's byte order."""
    dtype = dataset.dtype.newbyteorder("=")
    room = np.empty(dataset.nbytes + ALIGNMENT, np.uint8)
    offset = -room.ctypes.data % ALIGNMENT
    array: AnyArray = room[offset : offset + dataset.nbytes].view(dtype).reshape(dataset.shape)
    if dataset.shape:
        dataset.read_direct(array)
    else:
        array[...] = dataset[()]
    return array


def _names(group: Any, attribute: str) -> list[str]:
    if attribute in group.attrs:
        names = list(group.attrs[attribute])
    else:
        chunks: list[Any] = []
        while f"{attribute}{len(chunks)}" in group.attrs:
            chunks.append(group.attrs[f"{attribute}{len(chunks)}"])
        if not chunks:
            raise KeyError(f"no attribute {attribute} in {group.name}")
        names = [name for chunk in chunks for name in chunk]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _width_hint(needed: Sequence[Shape], present: Sequence[Shape], family: str) -> str:
    """A hint where the layer is the network's own with every channel count scaled by one factor."""
    if [len(shape) for shape in needed] != [len(shape) for shape in present] or not needed or not needed[0]:
        return ""
    ratio = present[0][-1] / needed[0][-1]
    if present[0][:-2] != needed[0][:-2] or ratio not in (0.25, 0.5, 0.75, 1.25, 1.3, 1.4, 2.0, 4.0):
        return ""
    return f": a file for a network {ratio:g} times as wide? Widths are named like mobilenet-0.25 (here: {family})"
