"""The job `evaluate`: measures a candidate against the champion, decides by the rule, and promotes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from db.learning import evaluations, model_registry, snapshots
from db.learning.model_registry import Model
from db.schema.column_words import SPLIT_KINDS, SplitKind
from producer.contract.reasons import promotion as why
from producer.contract.reasons.template import Reason
from producer.files.durable_files import replaced_file
from worker.evaluation.cross_validation import CrossValidation, cross_validate
from worker.evaluation.learning_curve import CurvePoint, learning_curve
from worker.evaluation.promotion_rule import Decision, decide
from worker.evaluation.report import REPORT_FILE, Evaluation, write_report
from worker.evaluation.splits import EvaluationError
from worker.features import catalogue
from worker.features.store import FeaturesMissing
from worker.learning.champion_comparison import Baseline, assessed_by_file, newest_labels
from worker.learning.context import BY, LabelledSet, Learning, labelled_set
from worker.learning.lease import held
from worker.learning.retrain import SEED
from worker.models import store as model_store
from worker.models.candidate import CandidateError
from worker.models.registry import check_network
from worker.runtime.progress import Progress, silent

log = structlog.get_logger()

REPEATS: Final = 10
"""Splits of each kind."""

DECISION_FILE: Final = "decision.json"


class DatedDecision(BaseModel):
    """The decision about a model, when, and against which champion; kept in the folder of its evaluation."""

    model_config = ConfigDict(frozen=True)

    model: str
    champion: str | None
    at: AwareDatetime
    promote: bool
    reasons: tuple[str, ...]
    """All sentences of the rule."""
    against: tuple[str, ...]
    """Those against the candidate."""

    def summary(self) -> str:
        """Return the reasons in one line, for the promotion's row and for logs."""
        return "; ".join(self.reasons if self.promote else self.against)


class ChampionChanged(ValueError):
    """Another model was promoted while this one was evaluated."""


def evaluate(
    learning: Learning,
    model_id: str | None = None,
    *,
    again: bool = False,
    by: str = BY,
    signed: str | None = None,
    progress: Progress = silent,
) -> DatedDecision | None:
    """Evaluate a candidate (the newest one, or `model_id`) against the champion, and promote it if it wins.

    None where there is no candidate that can judge, or another process is evaluating. A candidate that was refused
    stays refused, and one that was ever champion is not promoted again (a person may have rolled it back), unless
    `again`, which evaluates anew. A promotion is `by` the program; the audit names who started it, if `signed`.

    Raises:
        LookupError: the model is not registered, or was not fitted on a snapshot.
        NoNetwork: `model_id` was made before networks were files.
        FeaturesMissing: the features of its snapshot are gone.
        ModelError: the champion's files are damaged.
        ChampionChanged: another model was promoted meanwhile.
    """
    with learning.database.reading() as session:
        model = (
            model_registry.newest_of_snapshots(session) if model_id is None else model_registry.find(session, model_id)
        )
    if model is None and model_id is None:
        return None
    if model is None or model.snapshot_id is None:
        raise LookupError(
            f"{model_id!r} is no model that learned from reviews; `insert-worker models list` shows which there are"
        )
    if model_id is None and model.network_digest is None:
        return None  # of before networks were files: the next training makes a candidate that can judge
    check_network(model)
    with held(learning.database, "evaluate") as mine:
        return _settle(learning, model, again, by, signed, progress) if mine else None


def decided(folder: Path, model_id: str) -> DatedDecision | None:
    """Return the decision about a model, or None; `folder` is that of all evaluations."""
    try:
        return DatedDecision.model_validate_json((folder / model_id / DECISION_FILE).read_text("utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def _settle(
    learning: Learning, model: Model, again: bool, by: str, signed: str | None, progress: Progress
) -> DatedDecision:
    with learning.database.reading() as session:
        champion = model_registry.champion(session)
        was_in_charge = any(role.role == "champion" for role in model_registry.of_model(session, model.model_id))
    settled = decided(learning.evaluations, model.model_id)
    in_charge = champion.model_id if champion else None
    # A decision to promote holds against the champion of its time: one that was interrupted is carried out, no other.
    stands = settled is not None and (was_in_charge or not settled.promote or settled.champion == in_charge)
    if settled is None or again or not stands:
        settled = _measure(learning, model, champion, progress)
        with replaced_file(learning.evaluations / model.model_id / DECISION_FILE) as path:
            path.write_text(settled.model_dump_json(indent=2) + "\n", "utf-8")
        log.info("decided", model=model.model_id, promote=settled.promote, why=settled.summary())
    if settled.promote and in_charge != model.model_id and (again or not was_in_charge):
        _promote(learning, settled, by, signed)
    return settled


def _promote(learning: Learning, decision: DatedDecision, by: str, signed: str | None) -> None:
    with learning.database.transaction() as session:
        at = datetime.now(UTC)
        promotion = model_registry.promote(
            session, decision.model, by=by, signed=signed, reason=decision.summary(), at=at
        )
        # Read behind the lock that the promotion takes, so that no other promotion comes between.
        newest = model_registry.promotions(session, 2, "champion")
        before = [earlier for earlier in newest if earlier.id != promotion.id]
        if (before[0].model_id if before else None) != decision.champion:
            raise ChampionChanged(
                f"another model than {decision.champion} is in charge now; {decision.model} is measured anew"
            )
    log.info("promoted", model=decision.model, by=by)


def _measure(learning: Learning, model: Model, in_charge: Model | None, progress: Progress) -> DatedDecision:
    with learning.database.reading() as session:
        items = snapshots.items(session, model.snapshot_id or "")
    store = catalogue.find(learning.features, model.fingerprint)
    if store is None:
        raise FeaturesMissing(f"there are no features of {model.backbone} any more: `insert-worker extract` makes them")
    dataset = labelled_set(items, store.in_order)
    evaluation = Evaluation(
        name=model.model_id,
        at=datetime.now(UTC),
        backbone=model.backbone,
        fingerprint=model.fingerprint,
        feature_size=store.feature_size,
        items=dataset.items,
        assessments={},
        costs=learning.costs,
        snapshot_id=model.snapshot_id,
        candidate=model.model_id,
        champion=in_charge.model_id if in_charge else None,
    )
    baseline = None
    if (
        in_charge is not None
        and in_charge.model_id != model.model_id
        and (in_charge.fingerprint, in_charge.network_digest) == (model.fingerprint, model.network_digest)
    ):
        baseline = _champion(learning, in_charge)
    with store.view(dataset.keys) as features:
        evaluation = _compared(evaluation, features, dataset, baseline, progress)
    decision = _decision(evaluation, in_charge, model, baseline)
    evaluation = replace(evaluation, decision=decision)
    folder = learning.evaluations / model.model_id
    write_report(folder, evaluation)
    # The console shows it, which reads the database only.
    report = json.loads((folder / REPORT_FILE).read_text("utf-8"))
    with learning.database.transaction() as session:
        evaluations.record(session, model.model_id, evaluation.at, report)
    return DatedDecision(
        model=model.model_id,
        champion=evaluation.champion,
        at=evaluation.at,
        promote=decision.promote,
        reasons=decision.reasons,
        against=decision.against,
    )


def _champion(learning: Learning, model: Model) -> Baseline:
    """The champion with its labelled set. Raises `ModelError` when its files are damaged."""
    stored = model_store.read(learning.models / model.artefact, model.fingerprint)
    if model.snapshot_id is None:
        return Baseline(stored, None)
    with learning.database.reading() as session:
        return Baseline(stored, snapshots.items(session, model.snapshot_id))


def _compared(
    evaluation: Evaluation, features: Any, dataset: LabelledSet, baseline: Baseline | None, progress: Progress
) -> Evaluation:
    """The evaluation with both models' results, and with the newest labels where there is a champion."""
    assessments: dict[SplitKind, tuple[CrossValidation, CrossValidation | None]] = {}
    problems: dict[SplitKind, str] = {}
    for kind in SPLIT_KINDS:
        try:
            ours, theirs = cross_validate(
                features,
                dataset.sides,
                dataset.groups,
                costs=evaluation.costs,
                repeats=REPEATS,
                kinds=(kind,),
                champion_labels=baseline.labels(dataset) if baseline else None,
                progress=_step(progress, f"{kind} splits"),
            )[kind]
        except (EvaluationError, CandidateError) as error:
            problems[kind] = str(error)
            continue
        if baseline is not None and theirs is None:
            theirs = assessed_by_file(baseline, ours, features, dataset, evaluation.costs)
        assessments[kind] = (ours, theirs)
    newest = None
    if baseline is not None:
        progress("the newest labels", 0, 0)
        newest = newest_labels(baseline, features, dataset, costs=evaluation.costs, seed=SEED)
    curve: tuple[CurvePoint, ...] = ()
    if "grouped" in assessments:
        progress("the learning curve", 0, 0)
        review_ids = np.array([item.review_id for item in dataset.items], np.int64)
        whole = assessments["grouped"][0]
        curve = learning_curve(features, dataset.sides, dataset.groups, review_ids, whole, evaluation.costs)
    return replace(evaluation, assessments=assessments, problems=problems, newest=newest, learning_curve=curve)


def _decision(evaluation: Evaluation, in_charge: Model | None, model: Model, baseline: Baseline | None) -> Decision:
    opponent = in_charge if in_charge is not None and in_charge.model_id != model.model_id else None
    if opponent is not None and opponent.network_digest is not None and baseline is None:
        return _refused(
            why.OTHER_FEATURES(champion=opponent.model_id, backbone=opponent.backbone, model=model.model_id)
        )
    if "grouped" not in evaluation.assessments:
        return _refused(why.NOT_BY_INSERT(problem=evaluation.problems["grouped"]))
    ours, theirs = evaluation.assessments["grouped"]
    if opponent is not None and opponent.network_digest is None:
        return decide(ours, None, evaluation.newest, why.CHAMPION_CANNOT_JUDGE(champion=opponent.model_id))
    return decide(ours, theirs, evaluation.newest)


def _refused(sentence: Reason) -> Decision:
    return Decision(False, (sentence,), (sentence,))


def _step(progress: Progress, name: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(name, done, total)
