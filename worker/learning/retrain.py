"""From reviews to a candidate: a snapshot of the labelled set, its features, a fit, a model in store and database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from db.learning import model_registry, reviews, snapshots
from db.learning.model_registry import Model
from db.learning.reviews import Labelled
from db.learning.snapshots import Snapshot
from worker.features.extraction import sight
from worker.features.store import Generation
from worker.learning.context import Learning, Material, material, trainable
from worker.learning.extract import current, reextract
from worker.learning.lease import held
from worker.models import store as model_store
from worker.models.candidate import Candidate, binary, fit_candidate
from worker.models.line_model import DAMAGED, INTACT
from worker.models.registry import model_of
from worker.models.store import ModelError
from worker.runtime.failpoints import failpoint
from worker.runtime.progress import Progress, silent

log = structlog.get_logger()

FEWEST_IMAGES: Final = 5
"""Images of each side from which on there is a training."""

FEWEST_INSERTS: Final = 3
"""Inserts of each side from which on there is one: fewer cannot be divided for a fit, a choice and a test."""

FEWEST_UNATTENDED: Final = 5
"""Inserts of each side from which on there is one that nobody asked for, whose scores nobody may look at."""

SEED: Final = 0
"""Of all that is drawn at random in a fit: the same snapshot gives the same model."""


@dataclass(frozen=True)
class Retrained:
    """The model of the labelled set as it is, whether it is `new`, and a sentence that says what happened.

    `unusable` are labelled captures without features, each with the reason. `elsewhere` says that another process is
    at it: later there is more to say.
    """

    model: Model | None
    new: bool
    told: str
    unusable: tuple[tuple[UUID, str], ...] = ()
    elsewhere: bool = False


def retrain(learning: Learning, *, force: bool = False, progress: Progress = silent) -> Retrained:
    """Fit a candidate if there are enough new labels, or with `force` whenever there is any.

    One process at a time does it. The same snapshot, features and costs give the same model, and nothing is done
    twice. A training that was cut short is made up for, however few labels came since. Raises `CandidateError` and
    `ClassifierError` for a labelled set that cannot be learned from, `OSError` when the image store cannot be read.
    """
    with held(learning.database, "retrain") as mine:
        if not mine:
            return Retrained(None, False, "another process is training", elsewhere=True)
        return _retrain(learning, force, progress)


def _retrain(learning: Learning, force: bool, progress: Progress) -> Retrained:
    with learning.database.reading() as session:
        latest = snapshots.latest(session)
        new = reviews.newer_than(session, latest.snapshot_id if latest else None)
    if new == 0 and latest is None:
        return Retrained(None, False, "there are no reviews to learn from")
    fingerprint = learning.backbone().fingerprint
    unfinished = latest is not None and _made_of(learning, latest, fingerprint) is None
    if not (force or unfinished or new >= learning.enough_new_labels):
        return Retrained(None, False, f"{new} new labels; {learning.enough_new_labels} are worth a training")
    with learning.database.reading() as session:
        items = trainable(reviews.labelled(session))
    extracted = reextract(learning, items, progress)
    if extracted.elsewhere:
        told = f"another process is extracting {extracted.elsewhere} images still"
        return Retrained(None, False, told, elsewhere=True)
    store = current(learning)
    known = store.known()
    usable = [item for item in items if sight(item) in known]
    unusable = extracted.unusable
    if (lacking := _lacking(material(usable), FEWEST_INSERTS if force else FEWEST_UNATTENDED)) is not None:
        return Retrained(None, False, lacking, unusable)
    with learning.database.transaction() as session:
        snapshot = snapshots.take(session, datetime.now(UTC), usable)
    made = _made_of(learning, snapshot, fingerprint)
    if made is not None:
        return Retrained(made, False, f"{made.model_id} has learned from these labels already", unusable)
    model = _learn(learning, store, snapshot, usable, progress)
    return Retrained(model, True, f"{model.model_id} has learned from {model.trained_on} images", unusable)


def _lacking(found: Material, fewest_inserts: int) -> str | None:
    """What a labelled set lacks for a training, or None."""
    for side, name in ((0, INTACT), (1, DAMAGED)):
        images, inserts = int((found.sides == side).sum()), found.inserts(side)
        if images < FEWEST_IMAGES or inserts < fewest_inserts:
            return (
                f"there are {images} usable images of {inserts} {name} inserts; a training needs {FEWEST_IMAGES} "
                f"images and {fewest_inserts} inserts on each side"
            )
    return None


def _made_of(learning: Learning, snapshot: Snapshot, fingerprint: str) -> Model | None:
    """The model that was made of a snapshot with the costs of now and whose files are in order, or None."""
    with learning.database.reading() as session:
        found = model_registry.of_snapshot(session, snapshot.snapshot_id, fingerprint)
    for model in found:
        try:
            stored = model_store.read(learning.models / model.artefact, fingerprint)
        except ModelError as error:
            log.warning("a model is damaged and is made again", model=model.model_id, reason=str(error))
            continue
        if stored.manifest.costs == learning.costs:
            return model
    return None


def _learn(
    learning: Learning, store: Generation, snapshot: Snapshot, items: list[Labelled], progress: Progress
) -> Model:
    store.compact()
    found = material(items, store.in_order)
    # What is learned from can be looked at with the lab's own tools.
    store.publish(found.sights, binary(found.labels), (INTACT, DAMAGED))
    with store.view(found.sights) as features:
        failpoint("retrain")
        candidate = fit_candidate(
            features, found.labels, found.lives, costs=learning.costs, seed=SEED, progress=_steps(progress)
        )
    model = _keep(learning, store, snapshot, found, candidate)
    with learning.database.transaction() as session:
        model_registry.register(session, model)
    log.info("a candidate", model=model.model_id, snapshot=snapshot.snapshot_id, images=model.trained_on)
    return model


def _keep(learning: Learning, store: Generation, snapshot: Snapshot, found: Material, candidate: Candidate) -> Model:
    """Put a candidate into the model store."""
    name = model_store.model_id(
        candidate.classifier,
        store.backbone,
        store.fingerprint,
        calibration=candidate.calibration,
        band=candidate.band,
        kind=candidate.kind,
    )
    inserts = {"inserts": len(set(found.lives.tolist())), "images": len(found.items)}
    manifest = model_store.save(
        learning.models / name,
        candidate.classifier,
        backbone=store.backbone,
        fingerprint=store.fingerprint,
        trained_on=candidate.trained_on,
        settings={"seed": SEED, "class_weight": "balanced"},
        metrics={"labelled_set": {**inserts, "labels": dict(snapshot.counts)}},
        created_at=datetime.now(UTC),
        snapshot_id=snapshot.snapshot_id,
        C=candidate.C,
        standardised=candidate.standardised,
        calibration=candidate.calibration,
        band=candidate.band,
        costs=candidate.costs,
        kind=candidate.kind,
    )
    return model_of(manifest, name)


def _steps(progress: Progress) -> Callable[[str], None]:
    return lambda step: progress(step, 0, 0)
