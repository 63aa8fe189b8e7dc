from pathlib import Path

import h5py
import numpy as np
import pytest

from worker.backbones.names import WeightsUnfit
from worker.backbones.weight_file import ALIGNMENT, LayerSpec, WeightFile, flaw, match

Layers = dict[str, dict[str, np.ndarray]]

CONV = LayerSpec("stem", False, ("kernel", "bias"), ((3, 3, 3, 8), (8,)))
NUMBERED = [LayerSpec(name, True, ("kernel",), ((1, 1, 8, 8),)) for name in ("conv2d", "conv2d_1", "conv2d_2")]
TOP = LayerSpec("predictions", False, ("kernel",), ((8, 10),))


def write(path: Path, layers: Layers, *, group: str | None = None, chunks: int = 0) -> Path:
    with h5py.File(path, "w") as file:
        root = file.create_group(group) if group else file
        names = [name.encode() for name in layers]
        if chunks:
            for number, part in enumerate(np.array_split(np.asarray(names), chunks)):
                root.attrs[f"layer_names{number}"] = part
        else:
            root.attrs["layer_names"] = names
        for layer, weights in layers.items():
            inside = root.create_group(layer)
            inside.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in weights]
            for name, values in weights.items():
                inside[f"{layer}/{name}:0"] = values
    return path


def arrays_for(*specs: LayerSpec, names: list[str] | None = None) -> Layers:
    return {
        name: {
            weight: np.full(shape, number + 1, np.float32)
            for weight, shape in zip(spec.weight_names, spec.shapes, strict=True)
        }
        for number, (name, spec) in enumerate(zip(names or [each.name for each in specs], specs, strict=True))
    }


@pytest.mark.parametrize("group", [None, "model_weights"])
@pytest.mark.parametrize("chunks", [0, 2])
def test_layers_with_weights_are_read_in_the_files_order(tmp_path: Path, group: str | None, chunks: int) -> None:
    layers = {"input": {}} | arrays_for(CONV, *NUMBERED)
    with WeightFile(write(tmp_path / "w.h5", layers, group=group, chunks=chunks)) as file:
        assert list(file.layers) == ["stem", "conv2d", "conv2d_1", "conv2d_2"]
        assert file.layers["stem"] == ((3, 3, 3, 8), (8,))
        np.testing.assert_array_equal(file.read("conv2d_1")[0], layers["conv2d_1"]["kernel"])


@pytest.mark.parametrize("values", [np.arange(6, dtype=">f4").reshape(2, 3), np.array(7, np.int64), np.ones(5, "<f2")])
def test_arrays_are_aligned_and_in_this_machines_byte_order(tmp_path: Path, values: np.ndarray) -> None:
    path = write(tmp_path / "w.h5", {"stem": {"kernel": values, "bias": values}})
    with WeightFile(path) as file:
        for array in file.read("stem"):
            assert array.ctypes.data % ALIGNMENT == 0
            assert array.dtype.isnative
            assert (array.dtype.kind, array.shape) == (values.dtype.kind, values.shape)
            np.testing.assert_array_equal(array, values)


def test_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    path.write_bytes(b"\xde\xad\xbe\xef" * 99)
    with pytest.raises(WeightsUnfit, match="no complete HDF5 file"):
        WeightFile(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "w.h5", arrays_for(CONV, *NUMBERED))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(WeightsUnfit, match="cut short"):
        WeightFile(path)


def test_hdf5_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file["data"] = [1.0]
    with pytest.raises(WeightsUnfit, match="layer_names"):
        WeightFile(path)


def test_a_listed_array_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "w.h5", arrays_for(CONV))
    with h5py.File(path, "a") as file:
        del file["stem/stem/bias:0"]
    with pytest.raises(WeightsUnfit, match="legacy Keras"):
        WeightFile(path)


@pytest.mark.parametrize("kind", ["external link", "external storage", "text"])
def test_numbers_that_are_not_this_files_own_are_refused(tmp_path: Path, kind: str) -> None:
    other = write(tmp_path / "other.h5", arrays_for(CONV))
    path = write(tmp_path / "w.h5", arrays_for(CONV))
    with h5py.File(path, "a") as file:
        del file["stem/stem/bias:0"]
        if kind == "external link":
            file["stem/stem/bias:0"] = h5py.ExternalLink(other.name, "/stem/stem/bias:0")
        elif kind == "external storage":
            file.create_dataset("stem/stem/bias:0", (8,), np.float32, external=[(other.name, 0, 32)])
        else:
            file["stem/stem/bias:0"] = "not numbers"
    with pytest.raises(WeightsUnfit, match="of this file's own"):
        WeightFile(path)


def test_numbered_layers_are_matched_in_order_not_by_their_misleading_names(tmp_path: Path) -> None:
    # As in the published InceptionV3 file, which an older Keras numbered from one.
    layers = arrays_for(CONV, *NUMBERED, names=["stem", "conv2d_1", "conv2d_2", "conv2d_3"])
    with WeightFile(write(tmp_path / "w.h5", layers)) as file:
        matched = match(file, [[CONV, *NUMBERED, TOP], [CONV, *NUMBERED]], "net")
    assert matched == {"stem": "stem", "conv2d": "conv2d_1", "conv2d_1": "conv2d_2", "conv2d_2": "conv2d_3"}


def test_an_incomplete_file_is_matched_by_name_where_names_mean_something(tmp_path: Path) -> None:
    with WeightFile(write(tmp_path / "w.h5", arrays_for(TOP, CONV, NUMBERED[0]))) as file:
        matched = match(file, [[CONV, *NUMBERED, TOP], [CONV, *NUMBERED]], "net")
    assert matched == {"predictions": "predictions", "stem": "stem"}


def test_named_layers_in_another_order_are_matched_by_name(tmp_path: Path) -> None:
    twin = LayerSpec("second", False, CONV.weight_names, CONV.shapes)
    with WeightFile(write(tmp_path / "w.h5", arrays_for(twin, CONV))) as file:
        assert match(file, [[CONV, twin]], "net") == {"stem": "stem", "second": "second"}


def test_a_file_for_another_network_is_refused(tmp_path: Path) -> None:
    with (
        WeightFile(write(tmp_path / "w.h5", arrays_for(TOP))) as file,
        pytest.raises(WeightsUnfit, match=r"does not fit net: it has 1 layers with weights, the network 4"),
    ):
        match(file, [[CONV, *NUMBERED]], "net")


def test_a_file_for_another_width_is_refused_and_named_as_such(tmp_path: Path) -> None:
    narrow = LayerSpec("stem", False, CONV.weight_names, ((3, 3, 3, 2), (2,)))
    with (
        WeightFile(write(tmp_path / "w.h5", arrays_for(narrow))) as file,
        pytest.raises(WeightsUnfit, match=r"0\.25 times as wide"),
    ):
        match(file, [[CONV]], "net")


def test_a_kernel_of_zeros_is_a_flaw_and_a_bias_of_zeros_is_not() -> None:
    kernel, bias = np.ones(CONV.shapes[0], np.float32), np.zeros(8, np.float32)
    assert flaw(CONV, [kernel, bias]) is None
    assert "all zero" in (flaw(CONV, [kernel * 0, bias]) or "")
    kernel[0, 0, 0, 0] = np.nan
    assert "not numbers" in (flaw(CONV, [kernel, bias]) or "")
    bias[3] = -np.inf
    assert "bias of layer stem" in (flaw(CONV, [np.ones(CONV.shapes[0]), bias]) or "")
