"""Recognises files that are no usable weight files, and says how to convert them or what to fetch instead."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, Final

from producer.files.file_kinds import no_file
from worker.backbones.names import WeightsMissing

LEGACY: Final = "the legacy Keras .h5 layout"

_WITH_KERAS: Final = "convert it with `keras.models.load_model(FILE).save('weights.h5')`"
_INTO_NETWORK: Final = (
    "build the network with `keras.applications`, call `load_weights(FILE)` on it, then `save('weights.h5')`"
)
_WITH_TENSORFLOW: Final = (
    "convert it with TensorFlow 2.15 or older (`tf.keras.models.load_model(FOLDER).save('weights.h5')`)"
)
_FETCH: Final = (
    "take the .h5 file that Keras publishes for this network (`insert-worker weights fetch FAMILY` downloads it)"
)

_MAGIC: Final = (
    (b"version https://git-lfs", "a pointer of Git LFS and not the file", "run `git lfs pull` where it is from"),
    (b"\x1f\x8b", "a gzip file", "unpack it first (`gunzip`, or `tar -xzf`)"),
    (b"BZh", "a bzip2 file", "unpack it first (`bunzip2`)"),
    (b"\xfd7zXZ", "an xz file", "unpack it first (`unxz`)"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it first (`unzstd`)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x93NUMPY", "a NumPy array", _FETCH),
    (b"\x80\x02\x8a", "weights of PyTorch", _FETCH),
    (b"\x80", "a pickle file, as PyTorch and scikit-learn write, which is never opened", _FETCH),
    (b"GGUF", "a GGUF file", _FETCH),
)


def check_readable(path: Path) -> None:
    """Check that a weight file can be opened, before HDF5 tries to.

    Raises:
        WeightsMissing: there is no such file, or it is a folder; the message says which kind.
        PermissionError: it may not be read.
        OSError: it cannot be read.
    """
    if path.is_dir():
        raise WeightsMissing(why_folder(path))
    if not path.exists():
        raise WeightsMissing(f"there is no file {path}")
    if (kind := no_file(path.stat().st_mode)) is not None:
        raise WeightsMissing(f"{path} is {kind}, not a weight file: name the .h5 file itself")
    try:
        with path.open("rb") as file:
            file.read(1)
    except PermissionError as error:
        raise PermissionError(f"{path} may not be read by this user: give it the right to (`chmod a+r`)") from error


def why_folder(path: Path) -> str:
    """Return what kind of folder was named in place of a weight file."""
    if (path / "saved_model.pb").exists() or (path / "saved_model.pbtxt").exists():
        return f"{path} is a folder with a SavedModel, not a weight file: {_WITH_TENSORFLOW}"
    if any(path.glob("*.index")) or (path / "checkpoint").exists():
        return f"{path} is a folder with a TensorFlow checkpoint, not a weight file: {_FETCH}"
    inside = sorted(file.name for file in path.glob("*.h5"))
    hint = f"name one of its files, such as {path / inside[0]}" if inside else "name the .h5 file itself"
    return f"{path} is a folder, not a weight file: {hint}"


def why_no_hdf5(path: Path, error: OSError) -> str:
    """Return what a file is that the HDF5 library refuses with `error`, by its first bytes.

    Raises:
        OSError: the file cannot be read at all.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        return f"{path} is empty: copy or download it again"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        if "unable to lock file" in str(error).lower():
            return (
                f"{path} is locked by another program that writes it: end that one, or copy the file; on a share "
                "without locks set HDF5_USE_FILE_LOCKING=FALSE"
            )
        return f"{path} is no complete HDF5 file (damaged or cut short): copy or download it again"
    if zipfile.is_zipfile(path):
        return f"{path} is {_archive(path)}"
    for magic, what, do in _MAGIC:
        if head.startswith(magic):
            return f"{path} is {what}: {do}"
    text = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        return f"{path} is a web page, not the file: the download failed, or needs a login; download it again"
    if head[4:8] == b"TFL3":
        return f"{path} is a network for TensorFlow Lite: {_FETCH}"
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < path.stat().st_size:
        return f"{path} holds weights in the safetensors format: {_FETCH}"
    if (head[:1] == b"\x08" and b"\x12" in head[:4]) or path.suffix.lower() == ".onnx":
        return f"{path} is a network in the ONNX format: {_FETCH}"
    if path.suffix.lower() in (".pb", ".pbtxt") or path.name.startswith("saved_model"):
        return f"{path} is a part of a SavedModel: {_WITH_TENSORFLOW}"
    if path.suffix.lower() in (".index", ".meta", ".ckpt") or ".data-0000" in path.name:
        return f"{path} is a part of a TensorFlow checkpoint: {_FETCH}"
    if not head.strip(b"\0"):
        return f"{path} has nothing but zero bytes: it was not copied in full; copy it again"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head):
        return f"{path} is text, not a weight file: {_FETCH}"
    return f"{path} is no complete HDF5 file (damaged, cut short or something else): {_FETCH}"


def _archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return "a zip archive that is damaged: copy or download it again"
    if "model.weights.h5" in names:
        return f"a model of Keras 3 (.keras): {_WITH_KERAS}"
    if any(name.endswith("data.pkl") for name in names):
        return f"a file of PyTorch, which is never opened: {_FETCH}"
    if names and all(name.endswith(".npy") for name in names):
        return f"an archive of NumPy arrays (.npz), as TensorFlow 1 weights are passed on: {_FETCH}"
    return "a zip archive: unpack it first, and import the .h5 file in it"


def why_other_layout(path: Path, root: Any) -> str:
    """Return what an HDF5 file is that is not in the legacy layout; `root` is its open root group."""
    if "layers" in root or "_layer_checkpoint_dependencies" in root or "vars" in root:
        return f"{path} is in the layout of Keras 3 (.weights.h5), not in {LEGACY}: {_INTO_NETWORK}"
    return f"{path} is no weight file in {LEGACY}, with layer_names and weight_names: {_FETCH}"
