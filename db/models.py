"""Models and who is in charge: the champion is the one that was promoted last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.schema import Models, Promotions
from db.statements import insert


@dataclass(frozen=True)
class Model:
    """A trained model.

    ``backbone`` and ``fingerprint`` name the features that it understands, ``classes`` its labels in their order,
    ``trained_on`` the number of labelled images, ``metrics`` what its evaluation said (plain JSON values),
    ``artefact`` its folder relative to the model store, and ``digest`` the artefact's SHA-256.
    """

    model_id: str
    backbone: str
    fingerprint: str
    created_at: datetime
    classes: tuple[str, ...]
    trained_on: int
    metrics: Mapping[str, Any]
    artefact: str
    digest: str


@dataclass(frozen=True)
class Promotion:
    """The moment from which a model was in charge, who said so and why."""

    id: int
    model_id: str
    at: datetime
    by: str
    reason: str


_MODEL = [getattr(Models, field.name) for field in fields(Model)]
_PROMOTION = [getattr(Promotions, field.name) for field in fields(Promotion)]
_LAST_FIRST = (Promotions.at.desc(), Promotions.id.desc())


def register(session: Session, model: Model) -> bool:
    """Keep a model; True if it was new. One that is already there stays as it is.

    Raises:
        ValueError: its creation time is naive.
    """
    values = asdict(model) | {"classes": list(model.classes)}
    written = session.execute(
        insert(session, Models).values(values).on_conflict_do_nothing().returning(Models.model_id)
    )
    return written.first() is not None


def find(session: Session, model_id: str) -> Model | None:
    """The model of that name, or None."""
    row = session.execute(select(*_MODEL).where(Models.model_id == model_id)).first()
    return _model(row._mapping) if row else None


def recent(session: Session, limit: int = 20) -> list[Model]:
    """Models, newest first."""
    query = select(*_MODEL).order_by(Models.created_at.desc(), Models.model_id).limit(limit)
    return [_model(row._mapping) for row in session.execute(query)]


def promote(session: Session, model_id: str, *, by: str, reason: str, at: datetime) -> Promotion:
    """Put a model in charge from ``at`` on.

    Promoting the model that is in charge already adds nothing and returns the promotion that stands, so that two
    schedulers with the same result do no harm.

    Raises:
        LookupError: the model is not registered.
        ValueError: ``at`` is naive.
    """
    if find(session, model_id) is None:
        raise LookupError(f"model {model_id!r} is not registered, so it cannot be put in charge")
    last = _last_promotion(session)
    if last is not None and last.model_id == model_id:
        return last
    # The one promoted last is in charge, also when the clock that says so is behind the last one's.
    row = Promotions(model_id=model_id, at=max(at, last.at) if last else at, by=by, reason=reason)
    session.add(row)
    session.flush()
    return Promotion(row.id, model_id, row.at, by, reason)


def promotions(session: Session, limit: int = 20) -> list[Promotion]:
    """Who was put in charge, last first."""
    rows = session.execute(select(*_PROMOTION).order_by(*_LAST_FIRST).limit(limit))
    return [Promotion(*row) for row in rows]


def champion(session: Session, at: datetime | None = None) -> Model | None:
    """The model in charge now, or at a moment; None where there was none yet."""
    query = select(*_MODEL).join(Promotions, Promotions.model_id == Models.model_id).order_by(*_LAST_FIRST)
    if at is not None:
        query = query.where(Promotions.at <= at)
    row = session.execute(query.limit(1)).first()
    return _model(row._mapping) if row else None


def _last_promotion(session: Session) -> Promotion | None:
    found = promotions(session, limit=1)
    return found[0] if found else None


def _model(values: Mapping[Any, Any]) -> Model:
    return Model(**{**values, "classes": tuple(values["classes"])})
