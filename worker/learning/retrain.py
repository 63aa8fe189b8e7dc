"""The job `retrain`: a snapshot of the labelled set, its features, a fit, a model in store and database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import numpy as np
import structlog

from db.learning import model_registry, reviews, snapshots
from db.learning.learnt_forms import forms_of
from db.learning.learnt_heads import heads_of
from db.learning.model_registry import Model
from db.learning.reviews import Labelled
from db.learning.snapshots import Snapshot
from db.queries.line_rate import LineRate, line_rate
from producer.contract.names import IMPORTED
from producer.terminal.counts import counted
from worker.features.extraction import key_of
from worker.features.store import FeatureStore
from worker.learning.context import LabelledSet, Learning, labelled_set, trainable
from worker.learning.extract import current, reextract
from worker.learning.lease import held
from worker.models import store as model_store
from worker.models.candidate import Candidate, binary, fit_candidate
from worker.models.line_model import DAMAGED, INTACT
from worker.models.prior import Prior
from worker.models.registry import model_of
from worker.models.store import ModelError
from worker.runtime.failpoints import failpoint
from worker.runtime.progress import Progress, silent

log = structlog.get_logger()

FEWEST_IMAGES: Final = 5
"""Fewest images of each side for a training."""

FEWEST_INSERTS: Final = 3
"""Fewest inserts of each side for a training: fewer cannot be divided for a fit, a choice and a test."""

FEWEST_UNATTENDED: Final = 5
"""Fewest inserts of each side for a scheduled training, whose scores may never be looked at."""

SEED: Final = 0
"""The random seed of a fit: the same snapshot gives the same model."""


@dataclass(frozen=True)
class Retrained:
    """The model of the labelled set as it is, whether it is `new`, and a sentence that sums up what happened.

    `unusable` are labelled captures without features, each with the reason. `elsewhere` says that another process is
    training or extracting: try again later.
    """

    model: Model | None
    new: bool
    summary: str
    unusable: tuple[tuple[UUID, str], ...] = ()
    elsewhere: bool = False


def retrain(learning: Learning, *, force: bool = False, progress: Progress = silent) -> Retrained:
    """Fit a candidate if there are enough new labels, or with `force` whenever there is any.

    Where the champion cannot judge, since it was made before networks were files, any label is enough.

    One process at a time fits. The same snapshot, features and costs give the same model, and nothing is done twice. An
    interrupted training is repeated, however few labels are new.

    Raises:
        CandidateError: the labelled set is too small to be learned from.
        ClassifierError: its features cannot be fitted.
        OSError: the image store cannot be read.
    """
    with held(learning.database, "retrain") as mine:
        if not mine:
            return Retrained(None, False, "another process is training", elsewhere=True)
        return _retrain(learning, force, progress)


def _retrain(learning: Learning, force: bool, progress: Progress) -> Retrained:
    with learning.database.reading() as session:
        latest = snapshots.latest(session)
        new = reviews.newer_than(session, latest.snapshot_id if latest else None)
        champion = model_registry.champion(session)
    if new == 0 and latest is None:
        return Retrained(None, False, "there are no reviews to learn from")
    with learning.database.reading() as session:
        items = trainable(reviews.labelled(session))
    fewest_inserts = FEWEST_INSERTS if force else FEWEST_UNATTENDED
    if (lacking := _lacking(labelled_set(items), fewest_inserts)) is not None:  # no network need be built to say so
        return Retrained(None, False, lacking)
    fingerprint = learning.backbone().fingerprint
    unfinished = latest is not None and _fitted_on(learning, latest, fingerprint) is None
    none_can_judge = champion is not None and champion.network_digest is None
    if not (force or unfinished or none_can_judge or new >= learning.enough_new_labels):
        return Retrained(None, False, f"{counted(new, 'new label')}; {learning.enough_new_labels} are worth a training")
    extracted = reextract(learning, items, progress)
    if extracted.elsewhere:
        summary = f"another process is still extracting {counted(extracted.elsewhere, 'image')}"
        return Retrained(None, False, summary, elsewhere=True)
    store = current(learning)
    known = store.known()
    usable = [item for item in items if key_of(item) in known]
    unusable = extracted.unusable
    if (lacking := _lacking(labelled_set(usable), fewest_inserts)) is not None:
        return Retrained(None, False, lacking, unusable)
    with learning.database.transaction() as session:
        snapshot = snapshots.take(session, datetime.now(UTC), usable)
    fitted = _fitted_on(learning, snapshot, fingerprint)
    if fitted is not None:
        return Retrained(fitted, False, f"{fitted.model_id} has learned from these labels already", unusable)
    model = _learn(learning, store, snapshot, usable, progress)
    return Retrained(model, True, f"{model.model_id} has learned from {model.trained_on} images", unusable)


def _lacking(dataset: LabelledSet, fewest_inserts: int) -> str | None:
    """What a labelled set lacks for a training, or None."""
    for side, name in ((0, INTACT), (1, DAMAGED)):
        images, inserts = int((dataset.sides == side).sum()), dataset.inserts(side)
        if images < FEWEST_IMAGES or inserts < fewest_inserts:
            return (
                f"{counted(images, 'usable image')} of {counted(inserts, f'{name} insert')}; a training needs "
                f"{FEWEST_IMAGES} images and {fewest_inserts} inserts on each side"
            )
    return None


def _fitted_on(learning: Learning, snapshot: Snapshot, fingerprint: str) -> Model | None:
    """Return the model that was fitted on a snapshot with today's costs and whose files are whole, or None."""
    with learning.database.reading() as session:
        models = model_registry.of_snapshot(session, snapshot.snapshot_id, fingerprint)
    for model in models:
        if model.network_digest is None:  # lost by a downgrade: fitting it again finds it
            continue
        try:
            stored = model_store.read(learning.models / model.artefact, fingerprint)
        except ModelError as error:
            log.warning("a model is damaged and is made again", model=model.model_id, reason=str(error))
            continue
        if stored.manifest.costs == learning.costs:
            return model
    return None


def _learn(
    learning: Learning, store: FeatureStore, snapshot: Snapshot, items: list[Labelled], progress: Progress
) -> Model:
    store.compact()
    dataset = labelled_set(items, store.in_order)
    # The training set can be examined with the lab's own tools.
    store.publish(dataset.keys, binary(dataset.labels), (INTACT, DAMAGED))
    with store.view(dataset.keys) as features:
        failpoint("retrain")
        candidate = fit_candidate(
            features,
            dataset.labels,
            dataset.groups,
            costs=learning.costs,
            weights=dataset.weights,
            seed=SEED,
            progress=_steps(progress),
        )
    with learning.database.reading() as session:
        rate = line_rate(session)
    model = _keep(learning, store, snapshot, dataset, candidate, rate)
    with learning.database.transaction() as session:
        model_registry.register(session, model)
    log.info("a candidate", model=model.model_id, snapshot=snapshot.snapshot_id, images=model.trained_on)
    return model


def _keep(
    learning: Learning,
    store: FeatureStore,
    snapshot: Snapshot,
    dataset: LabelledSet,
    candidate: Candidate,
    rate: LineRate,
) -> Model:
    """Store a candidate in the model store."""
    name = model_store.model_id(
        candidate.classifier,
        store.backbone,
        store.fingerprint,
        calibration=candidate.calibration,
        band=candidate.band,
        kind=candidate.kind,
        novelty=candidate.novelty,
    )
    imported = sum(item.machine == IMPORTED for item in dataset.items)
    prior = Prior(float(dataset.sides.mean()), len(dataset.items), imported, rate.damaged, rate.reviews)
    if (weights := dataset.weights) is not None:
        used = float(np.average(dataset.sides, weights=weights))
        prior = replace(prior, used=used, by_chance=int(np.count_nonzero(weights)))
    labelled_set = {
        "inserts": len(set(dataset.groups.tolist())),
        "images": len(dataset.items),
        "labels": dict(snapshot.counts),
        "heads": heads_of(dataset.items),
        "forms": forms_of(dataset.items),
    }
    manifest = model_store.save(
        learning.models / name,
        candidate.classifier,
        backbone=store.backbone,
        fingerprint=store.fingerprint,
        trained_on=candidate.trained_on,
        settings={"seed": SEED, "class_weight": "balanced"},
        metrics={
            "labelled_set": labelled_set,
            "prior": asdict(prior),
            "promise": asdict(candidate.error_bound),
            "calibration_check": asdict(candidate.calibration_check),
        },
        created_at=datetime.now(UTC),
        snapshot_id=snapshot.snapshot_id,
        C=candidate.C,
        standardised=candidate.standardised,
        calibration=candidate.calibration,
        band=candidate.band,
        costs=candidate.costs,
        kind=candidate.kind,
        novelty=candidate.novelty,
        network=learning.backbone().digest,
        usual=candidate.usual,
    )
    return model_of(manifest, name)


def _steps(progress: Progress) -> Callable[[str], None]:
    return lambda step: progress(step, 0, 0)
