"""Models as files that cannot run code: HDF5 arrays and a JSON manifest with their digests.

The digests tell damage and mix-ups, not a forger who may write to the folder: who may put models there is a matter of
the folder's permissions. What a forger cannot do is run code, read other files or exhaust the memory on loading.
"""

import hashlib
import io
import json
import platform
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import h5py
import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from worker.classifier import ClassifierError, LinearModel
from worker.files import replaced_folder

CLASSIFIER_FILE = "classifier.h5"
MANIFEST_FILE = "manifest.json"
_MANIFEST_BYTES = 2**20
_HDF5_OVERHEAD_BYTES = 2**20

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelError(RuntimeError):
    """A model folder cannot be used; the message says which one, why, and what to do."""


class Manifest(BaseModel):
    """What a model is: its name, what it was made from and by what, and the digest of its arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    model_id: str
    """`<backbone>-<12 hex digits>`: the digits are of the classes, fingerprint and arrays, so that the same model has
    the same name wherever and whenever it was fitted."""
    backbone: str
    fingerprint: Digest
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    feature_size: Annotated[int, Field(ge=1)]
    trained_on: Annotated[int, Field(ge=1)]
    """Number of images that the model was fitted on."""
    settings: dict[str, JsonValue]
    metrics: dict[str, JsonValue]
    created_at: AwareDatetime
    classifier_sha256: Digest
    versions: dict[str, str]


def model_name(backbone: str) -> str:
    """A backbone's name as part of a file name, on Windows too: `mobilenet:conv1_relu` → `mobilenet-conv1_relu`."""
    return backbone.replace(":", "-")


def model_id(model: LinearModel, backbone: str, fingerprint: str) -> str:
    """The name of `model`, derived from its content alone."""
    head = json.dumps([backbone, fingerprint, model.classes, model.coef.shape], ensure_ascii=True)
    digest = hashlib.sha256(head.encode())
    digest.update(np.ascontiguousarray(model.coef, "<f4").tobytes())
    digest.update(np.ascontiguousarray(model.intercept, "<f8").tobytes())
    return f"{model_name(backbone)}-{digest.hexdigest()[:12]}"


def save(
    folder: Path,
    model: LinearModel,
    *,
    backbone: str,
    fingerprint: str,
    trained_on: int,
    settings: dict[str, Any],
    metrics: dict[str, Any],
    created_at: datetime,
) -> Manifest:
    """Write `model` as `folder` (replacing a model that is there), synced, all of it or nothing.

    `fingerprint` is the backbone's, `created_at` an aware time. Raises pydantic's `ValidationError` for values that
    a manifest cannot hold, before anything is written.
    """
    arrays = _to_hdf5(model)
    manifest = Manifest(
        model_id=model_id(model, backbone, fingerprint),
        backbone=backbone,
        fingerprint=fingerprint,
        classes=model.classes,
        feature_size=model.feature_size,
        trained_on=trained_on,
        settings=settings,
        metrics=metrics,
        created_at=created_at,
        classifier_sha256=hashlib.sha256(arrays).hexdigest(),
        versions={"python": platform.python_version()}
        | {name: version(name) for name in ("insert-inspection", "scikit-learn", "numpy", "h5py")},
    )
    with replaced_folder(folder) as temporary:
        (temporary / CLASSIFIER_FILE).write_bytes(arrays)
        (temporary / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    return manifest


def load(folder: Path, fingerprint: str | None = None) -> tuple[LinearModel, Manifest]:
    """Read and check the model in `folder`.

    With `fingerprint`, the model must have been fitted on features of just that backbone. Raises `ModelError` when
    something is missing, damaged, of another backbone, or not a model at all.
    """
    manifest = read_manifest(folder)
    if fingerprint is not None and manifest.fingerprint != fingerprint:
        raise ModelError(
            f"model {manifest.model_id} in {folder} was fitted on features of {manifest.backbone} with fingerprint "
            f"{manifest.fingerprint[:12]}, but the backbone in use has {fingerprint[:12]}: use that backbone with the "
            "same weights and preprocessing, or train a model for this one"
        )
    data = _read(folder / CLASSIFIER_FILE, _expected_bytes(manifest))
    if hashlib.sha256(data).hexdigest() != manifest.classifier_sha256:
        raise ModelError(f"{folder / CLASSIFIER_FILE} is not the file that its manifest names; {_REMEDY}")
    try:
        model = _from_hdf5(data, manifest)
    except (OSError, KeyError, RuntimeError, ValueError) as error:  # ClassifierError is a ValueError
        raise ModelError(f"{folder / CLASSIFIER_FILE} does not hold the model: {error}; {_REMEDY}") from error
    if model_id(model, manifest.backbone, manifest.fingerprint) != manifest.model_id:
        raise ModelError(f"the model in {folder} is not {manifest.model_id}, as its manifest says; {_REMEDY}")
    return model, manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`, without the arrays. Raises `ModelError`."""
    path = folder / MANIFEST_FILE
    try:
        return Manifest.model_validate_json(_read(path, _MANIFEST_BYTES))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise ModelError(f"{path} is not a model's manifest ({problems}); {_REMEDY}") from error


_REMEDY = "copy the model folder again from where it was made, or train a new one"


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ModelError(f"cannot read {path} ({error.strerror}); {_REMEDY}") from error
    if len(data) > most:
        raise ModelError(f"{path} is larger than the {most} bytes such a file can need; {_REMEDY}")
    return data


def _expected_bytes(manifest: Manifest) -> int:
    planes = len(manifest.classes) * (len(manifest.classes) - 1) // 2
    return planes * (manifest.feature_size * 4 + 8) + _HDF5_OVERHEAD_BYTES


def _to_hdf5(model: LinearModel) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=False) as file:
        file.create_dataset("coef", data=np.ascontiguousarray(model.coef, "<f4"))
        file.create_dataset("intercept", data=np.ascontiguousarray(model.intercept, "<f8"))
    return buffer.getvalue()


def _from_hdf5(data: bytes, manifest: Manifest) -> LinearModel:
    with h5py.File(io.BytesIO(data), "r") as file:
        coef, intercept = _array(file, "coef", "<f4"), _array(file, "intercept", "<f8")
    if coef.ndim != 2 or coef.shape[1] != manifest.feature_size:
        raise ClassifierError(f"coefficients of shape {coef.shape} for {manifest.feature_size} features")
    return LinearModel(manifest.classes, coef, intercept)


def _array(file: h5py.File, name: str, dtype: str) -> np.ndarray[Any, np.dtype[Any]]:
    """A plain array out of `file`: one that names other files, needs a filter, or is of another type is refused."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise KeyError(f"no array '{name}' in it")
    dataset = file[name]
    plain = (
        isinstance(dataset, h5py.Dataset)
        and dataset.dtype == np.dtype(dtype)
        and dataset.external is None
        and not dataset.is_virtual
        and dataset.id.get_create_plist().get_nfilters() == 0
        and dataset.id.get_create_plist().get_layout() == h5py.h5d.CONTIGUOUS
    )
    if not plain:
        raise KeyError(f"'{name}' is not a plain array of {np.dtype(dtype)}")
    return np.asarray(dataset[()])
