"""Evaluations: what was measured of a model, kept as the JSON of its report; a model's newest counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from db.schema.column_words import SPLIT_KINDS
from db.schema.tables import Evaluations


@dataclass(frozen=True)
class Evaluated:
    """One evaluation of a model; `report` is the content of its `evaluation.json`."""

    model_id: str
    at: datetime
    report: Mapping[str, Any]


@dataclass(frozen=True)
class Score:
    """What an evaluation came to: whether the rule promotes the model, and its balanced accuracy with its interval.

    `champion` is the accuracy of the model that was in charge then, on the same splits: accuracies of two evaluations
    are of other labels, and say nothing about which model is better. Each is None where the evaluation does not say.
    The accuracies are those by insert where there are such splits.
    """

    promote: bool | None
    balanced_accuracy: Mapping[str, Any] | None
    champion: Mapping[str, Any] | None


def record(session: Session, model_id: str, at: datetime, report: Mapping[str, Any]) -> None:
    """Keep an evaluation; those before it stay.

    Raises:
        IntegrityError: the model was never registered.
        ValueError: `at` is naive.
    """
    session.execute(insert(Evaluations).values(model_id=model_id, at=at, report=dict(report)))


def of_model(session: Session, model_id: str) -> Evaluated | None:
    """The newest evaluation of a model, or None."""
    query = select(Evaluations.model_id, Evaluations.at, Evaluations.report).where(Evaluations.model_id == model_id)
    row = session.execute(query.order_by(Evaluations.id.desc()).limit(1)).first()
    return Evaluated(*row) if row else None


def scores(session: Session, model_ids: Collection[str]) -> dict[str, Score]:
    """What the newest evaluation of each of these models came to, without the whole of its report."""
    newest = select(func.max(Evaluations.id)).where(Evaluations.model_id.in_(model_ids)).group_by(Evaluations.model_id)
    of_kind = [
        Evaluations.report["evaluations"][kind][side]["scores"]["balanced_accuracy"].label(f"{kind}_{side}")
        for kind in reversed(SPLIT_KINDS)
        for side in ("candidate", "champion")
    ]
    query = select(Evaluations.model_id, Evaluations.report["decision"]["promote"].label("promote"), *of_kind)
    rows = session.execute(query.where(Evaluations.id.in_(newest)))
    return {
        model_id: Score(promote, *((own, champion) if own else plain))
        for model_id, promote, own, champion, *plain in rows
    }


def newest_model(session: Session) -> str | None:
    """The model that was evaluated last, or None before there is one."""
    return session.scalar(select(Evaluations.model_id).order_by(Evaluations.id.desc()).limit(1))
