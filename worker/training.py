"""A labelled folder becomes a model in charge: images → features → linear SVM → model store → promotion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import db.models
from db.session import Database
from worker.classifier import fit_gram, gram, primal
from worker.dataset import DatasetError, LabelledFolder
from worker.evaluation import EvaluationError, repeated_splits, score_splits
from worker.images import MAX_IMAGE_BYTES, UnusableImage, decode
from worker.inspection import LINE_CLASSES
from worker.model_store import Manifest, model_id, save
from worker.read_ahead import read_ahead
from worker.translation import model_of

BATCH = 32
"""Images in one forward pass."""

REPEATS = 5
"""Splits that the accuracy of a new model is estimated on."""


class Features(Protocol):
    """The parts of a `worker.backbone.Backbone` that training needs."""

    name: str
    fingerprint: str
    feature_size: int
    input_size: tuple[int, int]

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pixels (n, h, w, 3) to network input of the same shape."""
        ...

    def features(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Network input (n, h, w, 3) to features (n, d)."""
        ...


@dataclass(frozen=True)
class Trained:
    """A model that was trained and put in charge, with the files that it could not use and why."""

    manifest: Manifest
    skipped: list[tuple[Path, str]]


def train(
    labelled: LabelledFolder,
    backbone: Features,
    *,
    intact: str,
    models: Path,
    database: Database,
    by: str,
    progress: Callable[[int, int], None],
) -> Trained:
    """Train on a labelled folder with the line's own way of reading images, and put the model in charge.

    Every class but ``intact`` counts as damaged. The same folder with the same backbone gives the same model, whose
    second promotion changes nothing. ``progress`` is told how many of how many images are done.

    Raises:
        DatasetError: there is no class ``intact``, or no readable image on one of the two sides.
    """
    damaged = labelled.labels != _class_of(labelled, intact)
    features, skipped = _extract(labelled, backbone, progress)
    unusable = dict(skipped)
    labels = damaged[[path not in unusable for path in labelled.files]].astype(np.int64)
    if len(set(labels.tolist())) < 2:
        raise DatasetError(
            f"{labelled.root}: the images that can be used are all of one side, {len(skipped)} cannot be used"
        )
    kernel = gram(features)
    model = primal(fit_gram(kernel, labels), features, LINE_CLASSES)
    name = model_id(model, backbone.name, backbone.fingerprint)
    manifest = save(
        models / name,
        model,
        backbone=backbone.name,
        fingerprint=backbone.fingerprint,
        trained_on=len(labels),
        settings={"C": 1.0, "class_weight": "balanced", "intact_class": intact, "dataset": labelled.name},
        metrics=_estimate(kernel, labels),
        created_at=datetime.now(UTC),
    )
    with database.transaction() as session:
        db.models.register(session, model_of(manifest, name))
        reason = f"trained on {len(labels)} images of {labelled.name}"
        db.models.promote(session, name, by=by, reason=reason, at=manifest.created_at)
    return Trained(manifest, [*labelled.skipped, *skipped])


def _class_of(labelled: LabelledFolder, intact: str) -> int:
    for index, name in enumerate(labelled.classes):
        if name.lower() == intact.lower():
            return index
    raise DatasetError(
        f"{labelled.root} has the classes {', '.join(labelled.classes)}; say which one is intact with --intact-class"
    )


def _extract(
    labelled: LabelledFolder, backbone: Features, progress: Callable[[int, int], None]
) -> tuple[NDArray[np.float32], list[tuple[Path, str]]]:
    """The features (n, d) of the usable images, in order, and the others with the reason."""

    def read(path: Path) -> NDArray[np.uint8]:
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise UnusableImage(f"larger than {MAX_IMAGE_BYTES} bytes")
        return decode(path.read_bytes(), backbone.input_size)

    parts: list[NDArray[np.float32]] = []
    skipped: list[tuple[Path, str]] = []
    photographs = read_ahead(read, labelled.files, BATCH)
    done = 0
    while batch := list(islice(photographs, BATCH)):
        pixels = []
        for path, photograph in batch:
            try:
                pixels.append(photograph.result())
            except UnusableImage as error:
                skipped.append((path, str(error)))
        if pixels:
            parts.append(backbone.features(backbone.prepare(np.stack(pixels))))
        done += len(batch)
        progress(done, len(labelled.files))
    return np.concatenate(parts) if parts else np.empty((0, backbone.feature_size), np.float32), skipped


def _estimate(kernel: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, Any]:
    """What the model is likely to score, from repeated 70/30 splits; empty where there are too few images for that."""
    try:
        splits = list(repeated_splits(labels, test_size=0.3, repeats=REPEATS))
        scores = score_splits(kernel, labels, splits, classes=len(LINE_CLASSES))
    except EvaluationError:
        return {}
    return {
        "accuracy": [score.accuracy for score in scores],
        "balanced_accuracy": [score.macro_recall for score in scores],
    }
