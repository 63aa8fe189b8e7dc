from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from worker.backbones.names import BackboneError, WeightsMissing, WeightsUnfit
from worker.backbones.weight_file import WeightFile
from worker.backbones.weight_import import import_weights


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, conv1=np.zeros(3))
    return buffer.getvalue()


KINDS = {
    "empty": (b"", "is empty: copy or download it again"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1\n", "git lfs pull"),
    "web page": (b"\n<!DOCTYPE html><html>404</html>", "web page.*download it again"),
    "npz": (npz(), r"NumPy arrays \(\.npz\).*weights fetch"),
    "npy": (b"\x93NUMPY\1\0", "NumPy array"),
    "PyTorch": (zipped("archive/data.pkl", "archive/data/0"), "PyTorch, which is never opened"),
    "old PyTorch": (b"\x80\x02\x8a\nl\xfc\x9c", "PyTorch"),
    "safetensors": (b"\x40\0\0\0\0\0\0\0" + b'{"a":1}'.ljust(0x40) + bytes(9), "safetensors"),
    "ONNX": (b"\x08\x07\x12\x07pytorch", "ONNX"),
    "tflite": (b"\x1c\0\0\0TFL3\x14\0", "TensorFlow Lite"),
    "zip": (zipped("vgg16.h5"), "zip archive: unpack it"),
    "damaged zip": (zipped("vgg16.h5").replace(b"PK\1\2", b"PK\1\3"), "zip archive that is damaged"),
    "gzip": (gzip.compress(b"x"), "gzip file: unpack it"),
    "zeros": (bytes(9000), "nothing but zero bytes"),
    "text": (b"not weights", "is text"),
    "nothing known": (b"\xde\xad\xbe\xef" * 99, "no complete HDF5 file"),
    "HDF5 cut short": (b"\x89HDF\r\n\x1a\n" + bytes(40), "cut short"),
}


@pytest.mark.parametrize(("data", "message"), KINDS.values(), ids=KINDS)
def test_what_is_no_weight_file_is_named_with_what_to_do(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "vgg16.h5"
    path.write_bytes(data)
    with pytest.raises(WeightsUnfit, match=message) as caught:
        WeightFile(path)
    assert str(path) in str(caught.value)


def test_what_keras_3_saves_is_named_and_its_conversion_works(tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    model.save(tmp_path / "net.keras")
    model.save_weights(tmp_path / "net.weights.h5")
    with pytest.raises(WeightsUnfit, match=r"model of Keras 3 \(\.keras\).*load_model"):
        WeightFile(tmp_path / "net.keras")
    with pytest.raises(WeightsUnfit, match=r"layout of Keras 3 \(\.weights\.h5\).*load_weights"):
        WeightFile(tmp_path / "net.weights.h5")
    keras.models.load_model(tmp_path / "net.keras").save(tmp_path / "weights.h5")
    with WeightFile(tmp_path / "weights.h5") as file:
        assert list(file.layers.values()) == [((4, 3), (3,))]


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("saved_model.pb", "SavedModel.*TensorFlow 2.15"),
        ("checkpoint", "TensorFlow checkpoint"),
        ("vgg16.h5", r"such as .*vgg16\.h5"),
        ("other", r"name the \.h5 file"),
    ],
)
def test_a_folder_is_named_by_what_is_in_it(tmp_path: Path, inside: str, message: str) -> None:
    (tmp_path / inside).write_bytes(b"")
    with pytest.raises(WeightsMissing, match=message):
        import_weights(tmp_path / "store", tmp_path, "mobilenet")


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "w.h5")
    with pytest.raises(WeightsMissing, match="is a pipe, not a weight file"):
        import_weights(tmp_path / "store", tmp_path / "w.h5", "mobilenet")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(PermissionError, match="may not be read by this user"):
        WeightFile(path)


def test_a_file_that_another_program_writes_is_said_to_be_locked(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    holder = """if True:
        import h5py, sys
        file = h5py.File(sys.argv[1], "w", locking=True)
        print("held", flush=True)
        sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BackboneError, match="locked by another program"):
            WeightFile(path)
        process.communicate("")


def test_hdf5_of_another_kind_is_no_weight_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["data"] = [1.0]
    with pytest.raises(WeightsUnfit, match=r"layer_names.*weights fetch"):
        WeightFile(tmp_path / "w.h5")
