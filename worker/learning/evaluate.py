"""Whether a candidate takes over: measured beside the champion, decided by the rule, promoted, and told why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from db.learning import model_registry, snapshots
from db.learning.model_registry import Model
from worker.evaluation.cross_validation import Assessment, Kind, assess
from worker.evaluation.promotion_rule import Decision, decide
from worker.evaluation.report import Evaluation, write_report
from worker.evaluation.splits import EvaluationError
from worker.features import store as generation
from worker.features.store import FeaturesMissing
from worker.learning.champion_comparison import Champion, assessed_by_file, newest_labels
from worker.learning.context import BY, Learning, Material, material
from worker.learning.lease import held
from worker.learning.retrain import SEED
from worker.models import store as model_store
from worker.models.candidate import CandidateError
from worker.runtime.files import replaced_file
from worker.runtime.progress import Progress, silent

log = structlog.get_logger()

REPEATS: Final = 10
"""Splits of each kind that both are measured on."""

DECISION_FILE: Final = "decision.json"


class Decided(BaseModel):
    """What was decided about a model, when, and beside which champion; kept in the folder of its evaluation."""

    model_config = ConfigDict(frozen=True)

    model: str
    champion: str | None
    at: AwareDatetime
    promote: bool
    reasons: tuple[str, ...]
    """All sentences that led to it."""
    against: tuple[str, ...]
    """Those of them that speak against the candidate."""

    def told(self) -> str:
        """It in one line, for the promotion's row and for logs."""
        return "; ".join(self.reasons if self.promote else self.against)


class Overtaken(RuntimeError):
    """Another model was put in charge while this one was measured."""


def evaluate(
    learning: Learning,
    model_id: str | None = None,
    *,
    again: bool = False,
    by: str = BY,
    progress: Progress = silent,
) -> Decided | None:
    """Measure a candidate (the newest one, or `model_id`) beside the champion, and promote it if it wins.

    None where there is no candidate, or another process is at it. A candidate that was refused stays refused, and one
    that was ever in charge is not promoted again (somebody may have rolled it back): unless `again` is said, which
    measures anew. Raises `LookupError` for a model that is not registered or did not learn from a snapshot, and
    `FeaturesMissing`, `ModelError` and the like where what is needed is gone.
    """
    with learning.database.reading() as session:
        model = (
            model_registry.newest_of_snapshots(session) if model_id is None else model_registry.find(session, model_id)
        )
    if model is None and model_id is None:
        return None
    if model is None or model.snapshot_id is None:
        raise LookupError(f"{model_id!r} is no model that learned from reviews; see insert-worker models list")
    with held(learning.database, "evaluate") as mine:
        return _settle(learning, model, again, by, progress) if mine else None


def decided(evaluations: Path, model_id: str) -> Decided | None:
    """What was decided about a model, or None; `evaluations` is the folder of all evaluations."""
    try:
        return Decided.model_validate_json((evaluations / model_id / DECISION_FILE).read_text("utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def _settle(learning: Learning, model: Model, again: bool, by: str, progress: Progress) -> Decided:
    with learning.database.reading() as session:
        champion = model_registry.champion(session)
        was_in_charge = model_registry.was_in_charge(session, model.model_id)
    found = decided(learning.evaluations, model.model_id)
    in_charge = champion.model_id if champion else None
    # A decision to promote holds beside the champion of then: one that was cut short is carried out, no other.
    stands = found is not None and (was_in_charge or not found.promote or found.champion == in_charge)
    if found is None or again or not stands:
        found = _measure(learning, model, champion, progress)
        with replaced_file(learning.evaluations / model.model_id / DECISION_FILE) as path:
            path.write_text(found.model_dump_json(indent=2) + "\n", "utf-8")
        log.info("decided", model=model.model_id, promote=found.promote, why=found.told())
    if found.promote and in_charge != model.model_id and (again or not was_in_charge):
        _promote(learning, found, by)
    return found


def _promote(learning: Learning, found: Decided, by: str) -> None:
    with learning.database.transaction() as session:
        at = datetime.now(UTC)
        promotion = model_registry.promote(session, found.model, by=by, reason=found.told(), at=at)
        # Seen from behind the lock that the promotion takes, so that nobody comes between.
        before = [each for each in model_registry.promotions(session, 2, "champion") if each.id != promotion.id]
        if (before[0].model_id if before else None) != found.champion:
            raise Overtaken(f"another model than {found.champion} is in charge now; {found.model} is measured anew")
    log.info("promoted", model=found.model, by=by)


def _measure(learning: Learning, model: Model, in_charge: Model | None, progress: Progress) -> Decided:
    with learning.database.reading() as session:
        items = snapshots.items(session, model.snapshot_id or "")
    store = generation.find(learning.features, model.fingerprint)
    if store is None:
        raise FeaturesMissing(f"there are no features of {model.backbone} any more: insert-worker extract")
    found = material(items, store.in_order)
    evaluation = Evaluation(
        name=model.model_id,
        at=datetime.now(UTC),
        backbone=model.backbone,
        fingerprint=model.fingerprint,
        feature_size=store.feature_size,
        items=found.items,
        assessments={},
        costs=learning.costs,
        snapshot_id=model.snapshot_id,
        candidate=model.model_id,
        champion=in_charge.model_id if in_charge else None,
    )
    rival = None
    if in_charge is not None and in_charge.model_id != model.model_id and in_charge.fingerprint == model.fingerprint:
        rival = _champion(learning, in_charge)
    with store.view(found.sights) as features:
        evaluation = _compared(evaluation, features, found, rival, progress)
    decision = _decision(evaluation, in_charge, model, rival)
    evaluation = replace(evaluation, decision=decision)
    folder = learning.evaluations / model.model_id
    write_report(folder, evaluation)
    return Decided(
        model=model.model_id,
        champion=evaluation.champion,
        at=evaluation.at,
        promote=decision.promote,
        reasons=decision.reasons,
        against=decision.against,
    )


def _champion(learning: Learning, model: Model) -> Champion:
    """The champion with what it learned from. Raises `ModelError` when its files cannot be trusted."""
    stored = model_store.read(learning.models / model.artefact, model.fingerprint)
    if model.snapshot_id is None:
        return Champion(stored, None)
    with learning.database.reading() as session:
        return Champion(stored, snapshots.items(session, model.snapshot_id))


def _compared(
    evaluation: Evaluation, features: Any, found: Material, rival: Champion | None, progress: Progress
) -> Evaluation:
    """The evaluation with both assessments, and with the newest labels where there is a champion."""
    assessments: dict[Kind, tuple[Assessment, Assessment | None]] = {}
    problems: dict[Kind, str] = {}
    kinds: tuple[Kind, ...] = ("plain", "grouped")
    for kind in kinds:
        try:
            ours, theirs = assess(
                features,
                found.sides,
                found.lives,
                costs=evaluation.costs,
                repeats=REPEATS,
                kinds=(kind,),
                champion_labels=rival.labels(found) if rival else None,
                progress=_step(progress, f"{kind} splits"),
            )[kind]
        except (EvaluationError, CandidateError) as error:
            problems[kind] = str(error)
            continue
        if rival is not None and theirs is None:
            theirs = assessed_by_file(rival, ours, features, found, evaluation.costs)
        assessments[kind] = (ours, theirs)
    newest = None
    if rival is not None:
        progress("the newest labels", 0, 0)
        newest = newest_labels(rival, features, found, costs=evaluation.costs, seed=SEED)
    return replace(evaluation, assessments=assessments, problems=problems, newest=newest)


def _decision(evaluation: Evaluation, in_charge: Model | None, model: Model, rival: Champion | None) -> Decision:
    if in_charge is not None and in_charge.model_id != model.model_id and rival is None:
        return _refused(
            f"the champion {in_charge.model_id} judges features of {in_charge.backbone} with another fingerprint, so "
            "that the two cannot be measured on the same ground: whether to change over is a person's decision "
            f"(insert-worker models promote {model.model_id})"
        )
    if "grouped" not in evaluation.assessments:
        return _refused(f"it cannot be measured by insert: {evaluation.problems['grouped']}")
    ours, theirs = evaluation.assessments["grouped"]
    return decide(ours, theirs, evaluation.newest)


def _refused(sentence: str) -> Decision:
    return Decision(False, (sentence,), (sentence,))


def _step(progress: Progress, name: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(name, done, total)
