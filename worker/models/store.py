"""Models as files that cannot run code: HDF5 arrays and a JSON manifest with their digests.

The digests detect damage and mix-ups, not forgery by a person who may write to the folder: who may put models there is
a matter of the folder's permissions. What a forger cannot do is run code, read other files or exhaust the memory on
loading.
"""

import hashlib
import io
import json
import platform
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import h5py
import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from producer.files.durable_folders import replaced_folder
from worker.models.calibration import Calibration
from worker.models.costs import Costs
from worker.models.line_model import LineModel
from worker.models.linear_svm import ClassifierError, LinearModel
from worker.models.unsure_band import Band
from worker.runtime.arrays import Float32Array

CLASSIFIER_FILE = "classifier.h5"
MANIFEST_FILE = "manifest.json"
_MANIFEST_BYTES = 2**20
_HDF5_OVERHEAD_BYTES = 2**20

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelError(RuntimeError):
    """A model folder cannot be used; the message says which one, why, and what to do."""


class ModelManifest(BaseModel):
    """A model's metadata: its id, what it was fitted on and with, and the digest of its arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    model_id: str
    """`<family>-<12 hex digits>`: a digest of classes, fingerprint and arrays, so that the same model has the same id
    wherever and whenever it was fitted."""
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
    # These fields came later; a model whose manifest lacks them decides by the sign of its decision value.
    snapshot_id: str | None = None
    """The labelled set that the model was fitted on, as the database names it."""
    C: Annotated[float, Field(gt=0)] | None = None
    """The SVM's C in units of the features as they were fitted: standardised or not."""
    standardised: bool = False
    """Whether the features were scaled to unit deviation for the fit; the coefficients are for unscaled ones."""
    calibration: Calibration | None = None
    band: Band | None = None
    costs: Costs | None = None
    """The costs that `band` follows from."""
    kind_classes: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    """The classes of the finer model, which the file has beside the first where these are present."""
    network: Digest | None = None
    """The network's file that the features are of; without it (the lab's, or before networks were files) no worker can
    judge by this model."""


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A model as it was read: its planes, those of the finer model, its manifest and (newer ones) what is usual."""

    classifier: LinearModel
    kind: LinearModel | None
    manifest: ModelManifest
    usual: Float32Array | None = None

    def line_model(self) -> LineModel:
        """Return the model as it judges on the line."""
        known = self.manifest
        return LineModel(known.model_id, self.classifier, known.calibration, known.band, self.kind, self.usual)


def model_name(backbone: str) -> str:
    """Return a backbone's name as a file name, on Windows too: `mobilenet:conv1_relu` → `mobilenet-conv1_relu`."""
    return re.sub("[:,+]", "-", backbone)


def model_id(
    model: LinearModel,
    backbone: str,
    fingerprint: str,
    *,
    calibration: Calibration | None = None,
    band: Band | None = None,
    kind: LinearModel | None = None,
) -> str:
    """Return the id of a model, derived from all that its answers depend on and from nothing else."""
    head: list[object] = [backbone, fingerprint, model.classes, model.coef.shape]
    if calibration is not None or band is not None or kind is not None:
        later = [calibration and asdict(calibration), band and asdict(band), kind and (kind.classes, kind.coef.shape)]
        head.append(later)
    digest = hashlib.sha256(json.dumps(head, ensure_ascii=True).encode())
    for planes in (model, kind):
        if planes is not None:
            digest.update(np.ascontiguousarray(planes.coef, "<f4").tobytes())
            digest.update(np.ascontiguousarray(planes.intercept, "<f8").tobytes())
    return f"{model_name(backbone.partition(':')[0])}-{digest.hexdigest()[:12]}"


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
    snapshot_id: str | None = None,
    C: float | None = None,  # noqa: N803
    standardised: bool = False,
    calibration: Calibration | None = None,
    band: Band | None = None,
    costs: Costs | None = None,
    kind: LinearModel | None = None,
    network: str | None = None,
    usual: Float32Array | None = None,
) -> ModelManifest:
    """Write `model` as `folder` (replacing a model that is there), synced, all of it or nothing.

    `fingerprint` is the backbone's, `created_at` an aware time; the others as in `ModelManifest`, `kind` the finer
    model and `usual` the mean of the intact inserts' features.

    Raises:
        ValidationError: pydantic's, for values that a manifest cannot hold; nothing is written.
        ModelError: the finer model is for another feature size; nothing is written.
    """
    if kind is not None and kind.feature_size != model.feature_size:
        raise ModelError(f"the finer model judges {kind.feature_size} features, the first {model.feature_size}")
    arrays = _to_hdf5(model, kind, usual)
    manifest = ModelManifest(
        model_id=model_id(model, backbone, fingerprint, calibration=calibration, band=band, kind=kind),
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
        snapshot_id=snapshot_id,
        C=C,
        standardised=standardised,
        calibration=calibration,
        band=band,
        costs=costs,
        kind_classes=None if kind is None else kind.classes,
        network=network,
    )
    with replaced_folder(folder) as temporary:
        (temporary / CLASSIFIER_FILE).write_bytes(arrays)
        (temporary / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    return manifest


def read(folder: Path, fingerprint: str | None = None) -> StoredModel:
    """Read and check all that is in `folder`.

    With `fingerprint`, the model must have been fitted on features of just that backbone.

    Raises:
        ModelError: something is missing, damaged, of another backbone, or not a model at all.
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
        stored = _from_hdf5(data, manifest)
    except (OSError, KeyError, RuntimeError, ValueError) as error:  # ClassifierError is a ValueError
        raise ModelError(f"{folder / CLASSIFIER_FILE} does not hold the model: {error}; {_REMEDY}") from error
    name = model_id(
        stored.classifier,
        manifest.backbone,
        manifest.fingerprint,
        calibration=manifest.calibration,
        band=manifest.band,
        kind=stored.kind,
    )
    # The digest alone: before, all of the backbone's name stood in front of it.
    if name.rpartition("-")[2] != manifest.model_id.rpartition("-")[2]:
        raise ModelError(f"the model in {folder} is not {manifest.model_id}, as its manifest says; {_REMEDY}")
    return stored


def read_manifest(folder: Path) -> ModelManifest:
    """Read the manifest in `folder`, without the arrays.

    Raises:
        ModelError: it is missing, or is no manifest.
    """
    path = folder / MANIFEST_FILE
    try:
        return ModelManifest.model_validate_json(_read(path, _MANIFEST_BYTES))
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


def _expected_bytes(manifest: ModelManifest) -> int:
    planes = sum(len(names) * (len(names) - 1) // 2 for names in (manifest.classes, manifest.kind_classes or ()))
    return (planes + 1) * (manifest.feature_size * 4 + 8) + _HDF5_OVERHEAD_BYTES


def _to_hdf5(model: LinearModel, kind: LinearModel | None, usual: Float32Array | None) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=False) as file:
        for prefix, planes in (("", model), ("kind_", kind)):
            if planes is not None:
                file.create_dataset(f"{prefix}coef", data=np.ascontiguousarray(planes.coef, "<f4"))
                file.create_dataset(f"{prefix}intercept", data=np.ascontiguousarray(planes.intercept, "<f8"))
        if usual is not None:
            file.create_dataset("usual", data=np.ascontiguousarray(usual, "<f4"))
    return buffer.getvalue()


def _from_hdf5(data: bytes, manifest: ModelManifest) -> StoredModel:
    with h5py.File(io.BytesIO(data), "r") as file:
        model = _planes(file, "", manifest.classes, manifest.feature_size)
        kind = manifest.kind_classes and _planes(file, "kind_", manifest.kind_classes, manifest.feature_size)
        usual = _array(file, "usual", "<f4") if "usual" in file else None
    if usual is not None and not (usual.shape == (manifest.feature_size,) and np.isfinite(usual).all()):
        raise ClassifierError(f"what is usual has the shape {usual.shape}, or numbers that are not finite")
    return StoredModel(model, kind or None, manifest, usual)


def _planes(file: h5py.File, prefix: str, classes: tuple[str, ...], feature_size: int) -> LinearModel:
    coef, intercept = _array(file, f"{prefix}coef", "<f4"), _array(file, f"{prefix}intercept", "<f8")
    if coef.ndim != 2 or coef.shape[1] != feature_size:
        raise ClassifierError(f"coefficients of shape {coef.shape} for {feature_size} features")
    return LinearModel(classes, coef, intercept)


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
