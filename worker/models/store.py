"""Models as files that cannot run code: HDF5 arrays and a JSON manifest with their digests.

The digests detect damage and mix-ups, not forgery by a person who may write to the folder: who may put models there is
a matter of the folder's permissions. What a forger cannot do is run code, read other files or exhaust the memory on
loading.
"""

import hashlib
import json
import platform
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from producer.contract.reasons import models as why
from producer.files.durable_folders import replaced_folder
from producer.runtime.arrays import Float32Array
from worker.models.array_file import ModelArrays, from_hdf5, to_hdf5
from worker.models.calibration import Calibration
from worker.models.costs import Costs
from worker.models.line_model import LineModel
from worker.models.linear_svm import LinearModel
from worker.models.manifest import LearntPhotographs, ModelManifest
from worker.models.novelty import Novelty
from worker.models.unsure_band import Band

CLASSIFIER_FILE = "classifier.h5"
MANIFEST_FILE = "manifest.json"
_MANIFEST_BYTES = 2**20
_HDF5_OVERHEAD_BYTES = 2**20


class ModelError(RuntimeError):
    """A model folder cannot be used; the message says which one, why, and what to do."""


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A model as it was read: its arrays, and its manifest."""

    arrays: ModelArrays
    manifest: ModelManifest

    @property
    def classifier(self) -> LinearModel:
        """The planes that tell its classes apart."""
        return self.arrays.classifier

    @property
    def kind(self) -> LinearModel | None:
        """The planes of the finer model, where it has one."""
        return self.arrays.kind

    def line_model(self) -> LineModel:
        """Return the model as it judges on the line."""
        return LineModel(
            self.manifest.model_id,
            self.classifier,
            self.manifest.calibration,
            self.manifest.band,
            self.kind,
            self.arrays.novelty,
            self.arrays.usual,
        )


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
    novelty: Novelty | None = None,
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
    if novelty is not None:
        digest.update(json.dumps(["novelty", *novelty.learnt.shape]).encode())
        digest.update(np.ascontiguousarray(novelty.learnt, "<f4").tobytes())
        digest.update(np.ascontiguousarray(novelty.distances, "<f8").tobytes())
        digest.update(b"" if novelty.signs is None else np.ascontiguousarray(novelty.signs, "i1").tobytes())
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
    novelty: Novelty | None = None,
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
    arrays = to_hdf5(ModelArrays(model, kind, novelty, usual))
    manifest = ModelManifest(
        model_id=model_id(model, backbone, fingerprint, calibration=calibration, band=band, kind=kind, novelty=novelty),
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
        novelty=None if novelty is None else LearntPhotographs.of(novelty),
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
            why.OTHER_BACKBONE(
                model=manifest.model_id,
                folder=folder,
                backbone=manifest.backbone,
                learnt=manifest.fingerprint[:12],
                here=fingerprint[:12],
            )
        )
    data = _read(folder / CLASSIFIER_FILE, _expected_bytes(manifest))
    if hashlib.sha256(data).hexdigest() != manifest.classifier_sha256:
        raise ModelError(why.NOT_ITS_FILE(file=folder / CLASSIFIER_FILE))
    try:
        arrays = from_hdf5(
            data,
            manifest.classes,
            manifest.kind_classes,
            manifest.feature_size,
            novelty=manifest.novelty is not None,
        )
    except (OSError, KeyError, RuntimeError, ValueError) as error:  # ClassifierError is a ValueError
        raise ModelError(why.NOT_THE_MODEL(file=folder / CLASSIFIER_FILE, problem=error)) from error
    name = model_id(
        arrays.classifier,
        manifest.backbone,
        manifest.fingerprint,
        calibration=manifest.calibration,
        band=manifest.band,
        kind=arrays.kind,
        novelty=arrays.novelty,
    )
    # The digest alone: before, all of the backbone's name stood in front of it.
    kept = None if arrays.novelty is None else LearntPhotographs.of(arrays.novelty)
    if name.rpartition("-")[2] != manifest.model_id.rpartition("-")[2] or kept != manifest.novelty:
        raise ModelError(why.OTHER_MODEL(folder=folder, model=manifest.model_id))
    return StoredModel(arrays, manifest)


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
        raise ModelError(why.NO_MANIFEST(file=path, problem=problems)) from error


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ModelError(why.UNREADABLE(file=path, problem=error.strerror)) from error
    if len(data) > most:
        raise ModelError(why.FILE_TOO_LARGE(file=path, most=most))
    return data


def _expected_bytes(manifest: ModelManifest) -> int:
    planes = sum(len(names) * (len(names) - 1) // 2 for names in (manifest.classes, manifest.kind_classes or ()))
    kept = manifest.novelty
    learnt = 0 if kept is None else kept.kept * (kept.columns * 4 + 8) + manifest.feature_size
    return (planes + 1) * (manifest.feature_size * 4 + 8) + learnt + _HDF5_OVERHEAD_BYTES
