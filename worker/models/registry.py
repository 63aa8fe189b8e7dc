"""Connects a model's folder with its row in the database: makes the row, and loads the model for the line by it."""

from __future__ import annotations

from pathlib import Path

from db.learning import model_registry
from db.learning.model_registry import Model
from worker.models.line_model import KINDS, LINE_CLASSES, LineModel
from worker.models.store import ModelError, ModelManifest, read


def model_of(manifest: ModelManifest, artefact: str) -> Model:
    """Return the row of a model whose folder in the model store is `artefact`."""
    return Model(
        model_id=manifest.model_id,
        backbone=manifest.backbone,
        fingerprint=manifest.fingerprint,
        created_at=manifest.created_at,
        classes=manifest.classes,
        trained_on=manifest.trained_on,
        metrics=manifest.metrics,
        artefact=artefact,
        digest=manifest.classifier_sha256,
        snapshot_id=manifest.snapshot_id,
    )


def load_for_line(model: model_registry.Model, models: Path, fingerprint: str) -> LineModel:
    """Load a registered model, with planes, calibration, band and finer classes.

    Raises:
        ModelError: its file is missing, damaged or altered, or it is for other features or other classes.
    """
    if model.fingerprint != fingerprint:
        raise ModelError(
            f"model {model.model_id} was trained on features of {model.backbone}, which this worker does not run "
            f"(set INSERTS_BACKBONE={model.backbone} with the same weights, or promote a model of this backbone)"
        )
    stored = read(models / model.artefact, fingerprint)
    # The id covers what the arrays' digest does not: calibration and band.
    if (stored.manifest.classifier_sha256, stored.manifest.model_id) != (model.digest, model.model_id):
        raise ModelError(f"model {model.model_id} is not the file that was registered")
    if stored.classifier.classes != LINE_CLASSES:
        raise ModelError(f"model {model.model_id} tells {stored.classifier.classes} apart, not {LINE_CLASSES}")
    if stored.kind is not None and stored.kind.classes != KINDS:
        raise ModelError(f"model {model.model_id} tells {stored.kind.classes} apart among the damaged, not {KINDS}")
    return stored.line_model()
