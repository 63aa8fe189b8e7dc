"""The trained models and their roles: the champion judges; a shadow judges alongside, and the line never sees it.

Whoever changes a role does it here, so that each change is in the audit; `noted` is what that says besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.people import audit
from db.schema.tables import Models, Promotions
from producer.contract.reasons import refusals as why
from producer.contract.reasons.template import Template
from producer.contract.vocabulary import ModelAction, ModelRole


@dataclass(frozen=True)
class Model:
    """A trained model.

    `backbone` and `fingerprint` name the features that it understands, `classes` its labels in their order,
    `trained_on` the number of labelled images, `metrics` what its evaluation said (plain JSON values),
    `artefact` its folder relative to the model store, and `digest` the artefact's SHA-256. `snapshot_id` names
    the labelled set that it learned from (`db.learning.snapshots`), None for a model that was made from a folder.
    `network_digest` is the SHA-256 of the network's file that its features are of; a model without one was made before
    networks were files, and no worker can judge by it.
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
    snapshot_id: str | None = None
    network_digest: str | None = None


@dataclass(frozen=True)
class Promotion:
    """The moment from which a model had a role, who gave it and why.

    `action` is how it got the role; with `ended` the role is empty from then on and `model_id` is None, which
    only a shadow's can be.
    """

    id: int
    model_id: str | None
    at: datetime
    by: str
    reason: str
    role: ModelRole = "champion"
    action: ModelAction = "promoted"


_MODEL = [getattr(Models, field.name) for field in fields(Model)]
_PROMOTION = [getattr(Promotions, field.name) for field in fields(Promotion)]
_NEWEST_FIRST = (Models.created_at.desc(), Models.model_id)
_LAST_FIRST = (Promotions.at.desc(), Promotions.id.desc())
_FIRST_FIRST = (Promotions.at, Promotions.id)


def register(session: Session, model: Model) -> bool:
    """Keep a model; True if it was new. One that is already there stays as it is, but for a network it lacked.

    Raises:
        ValueError: its creation time is naive.
    """
    values = asdict(model) | {"classes": list(model.classes)}
    written = session.execute(
        insert(session, Models).values(values).on_conflict_do_nothing().returning(Models.model_id)
    )
    if written.first() is not None:
        return True
    lacking = update(Models).where(Models.model_id == model.model_id, Models.network_digest.is_(None))
    session.execute(lacking.values(network_digest=model.network_digest))
    return False


def find(session: Session, model_id: str) -> Model | None:
    """The model of that name, or None."""
    row = session.execute(select(*_MODEL).where(Models.model_id == model_id)).first()
    return _model(row._mapping) if row else None


def recent(session: Session, limit: int = 20, after: tuple[datetime, str] | None = None) -> list[Model]:
    """Models, newest first; `after` is the creation time and the name of the last one of the page before."""
    query = select(*_MODEL).order_by(*_NEWEST_FIRST).limit(limit)
    if after is not None:
        created, model_id = after
        same = (Models.created_at == created) & (Models.model_id > model_id)
        query = query.where((Models.created_at < created) | same)
    return [_model(row._mapping) for row in session.execute(query)]


def of_snapshot(session: Session, snapshot_id: str, fingerprint: str) -> list[Model]:
    """The models that learned from this snapshot, on features of this fingerprint; newest first."""
    query = (
        select(*_MODEL)
        .where(Models.snapshot_id == snapshot_id, Models.fingerprint == fingerprint)
        .order_by(*_NEWEST_FIRST)
    )
    return [_model(row._mapping) for row in session.execute(query)]


def newest_of_snapshots(session: Session) -> Model | None:
    """The model that learned from a snapshot last, or None before there is one."""
    query = select(*_MODEL).where(Models.snapshot_id.is_not(None)).order_by(*_NEWEST_FIRST).limit(1)
    row = session.execute(query).first()
    return _model(row._mapping) if row else None


def promote(session: Session, model_id: str, *, by: str, reason: str, at: datetime, **noted: Any) -> Promotion:
    """Put a model in charge from `at` on; if it was in shadow, that ends.

    Promoting the model that is in charge already adds nothing and returns its promotion, so that two
    schedulers with the same result do no harm.

    Raises:
        LookupError: the model is not registered.
        ValueError: `at` is naive.
    """
    take_turns(session)
    _known(session, model_id, why.NOT_REGISTERED_TO_JUDGE)
    last = _last(session, "champion")
    if last is not None and last.model_id == model_id:
        return last
    promotion = _charge(session, model_id, "promoted", by, reason, at)
    audit.write(session, at=at, by=by, action="model promoted", subject=model_id, reason=reason, **noted)
    return promotion


def rollback(session: Session, *, by: str, reason: str, at: datetime, **noted: Any) -> Promotion:
    """Put the champion before the present one in charge again, from `at` on.

    A second rollback goes one further back, not forth again: the model that was rolled back is out until it is
    promoted anew.

    Raises:
        LookupError: there is no champion before the present one.
        ValueError: `at` is naive.
    """
    take_turns(session)
    line = succession(session)
    if len(line) < 2:
        raise LookupError(why.NONE_BEFORE(model=line[0]) if line else why.NEVER_IN_CHARGE())
    to = line[-2]
    promotion = _charge(session, to, "rolled_back", by, reason, at)
    audit.write(session, at=at, by=by, action="model rolled back", subject=line[-1], reason=reason, to=to, **noted)
    return promotion


def succession(session: Session) -> list[str]:
    """The models that rollbacks go through, the present champion last."""
    query = select(*_PROMOTION).where(Promotions.role == "champion").order_by(*_FIRST_FIRST)
    line: list[str] = []
    for row in (Promotion(*values) for values in session.execute(query)):
        if row.model_id is None:
            continue
        if row.action == "rolled_back":
            del line[-1:]
        if line[-1:] != [row.model_id]:
            line.append(row.model_id)
    return line


def promotions(
    session: Session, limit: int = 20, role: ModelRole | None = None, after: tuple[datetime, int] | None = None
) -> list[Promotion]:
    """Which model was given which role, last first; `role` chooses one.

    `after` is the moment and the id of the last one of the page before.
    """
    query = select(*_PROMOTION).order_by(*_LAST_FIRST).limit(limit)
    if role is not None:
        query = query.where(Promotions.role == role)
    if after is not None:
        at, number = after
        query = query.where((Promotions.at < at) | ((Promotions.at == at) & (Promotions.id < number)))
    return [Promotion(*row) for row in session.execute(query)]


def promotions_after(session: Session, number: int, limit: int = 100) -> list[Promotion]:
    """Which model was given which role since the promotion of that number, in order."""
    query = select(*_PROMOTION).where(Promotions.id > number).order_by(Promotions.id).limit(limit)
    return [Promotion(*row) for row in session.execute(query)]


def of_model(session: Session, model_id: str) -> list[Promotion]:
    """Every role that a model was given, last first."""
    query = select(*_PROMOTION).where(Promotions.model_id == model_id).order_by(*_LAST_FIRST)
    return [Promotion(*row) for row in session.execute(query)]


def champion(session: Session, at: datetime | None = None) -> Model | None:
    """The model in charge now, or at a moment; None where there was none yet."""
    query = (
        select(*_MODEL)
        .join(Promotions, Promotions.model_id == Models.model_id)
        .where(Promotions.role == "champion")
        .order_by(*_LAST_FIRST)
    )
    if at is not None:
        query = query.where(Promotions.at <= at)
    row = session.execute(query.limit(1)).first()
    return _model(row._mapping) if row else None


def shadow(session: Session) -> Model | None:
    """The model that judges alongside the champion, or None."""
    last = _last(session, "shadow")
    return find(session, last.model_id) if last is not None and last.model_id is not None else None


def start_shadow(session: Session, model_id: str, *, by: str, reason: str, at: datetime, **noted: Any) -> Promotion:
    """Have a model judge alongside the champion from `at` on, instead of the one that did so before.

    Starting the one that is in shadow already adds nothing and returns its row.

    Raises:
        LookupError: the model is not registered.
        ValueError: it is in charge, or `at` is naive.
    """
    take_turns(session)
    _known(session, model_id, why.NOT_REGISTERED_AS_SHADOW)
    in_charge = _last(session, "champion")
    if in_charge is not None and in_charge.model_id == model_id:
        raise ValueError(why.OWN_SHADOW(model=model_id))
    last = _last(session, "shadow")
    if last is not None and last.model_id == model_id:
        return last
    promotion = _add(session, model_id, "shadow", "promoted", by, reason, at)
    audit.write(session, at=at, by=by, action="shadow started", subject=model_id, reason=reason, **noted)
    return promotion


def end_shadow(session: Session, *, by: str, reason: str, at: datetime, **noted: Any) -> Promotion | None:
    """Have no model judge alongside the champion from `at` on; None where none did.

    Raises:
        ValueError: `at` is naive.
    """
    take_turns(session)
    if (before := shadow(session)) is None:
        return None
    ended = _add(session, None, "shadow", "ended", by, reason, at)
    audit.write(session, at=at, by=by, action="shadow ended", subject=before.model_id, reason=reason, **noted)
    return ended


def take_turns(session: Session) -> None:
    """Wait for other transactions that change roles, so that each sees the one before; readers do not wait."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite's writers have taken their turn already
        session.execute(text("LOCK TABLE promotions IN SHARE ROW EXCLUSIVE MODE"))


def _known(session: Session, model_id: str, refusal: Template) -> None:
    if find(session, model_id) is None:
        raise LookupError(refusal(model=model_id))


def _charge(session: Session, model_id: str, action: ModelAction, by: str, reason: str, at: datetime) -> Promotion:
    in_shadow = _last(session, "shadow")
    promotion = _add(session, model_id, "champion", action, by, reason, at)
    if in_shadow is not None and in_shadow.model_id == model_id:
        _add(session, None, "shadow", "ended", by, "it is in charge now", at)
    return promotion


def _add(
    session: Session, model_id: str | None, role: ModelRole, action: ModelAction, by: str, reason: str, at: datetime
) -> Promotion:
    last = _last(session, role)
    # The row that came last counts, also when the clock that says so is behind the last one's.
    at = max(at, last.at) if last else at
    row = Promotions(model_id=model_id, at=at, by=by, reason=reason, role=role, action=action)
    session.add(row)
    session.flush()
    return Promotion(row.id, model_id, row.at, by, reason, role, action)


def _last(session: Session, role: ModelRole) -> Promotion | None:
    query = select(*_PROMOTION).where(Promotions.role == role).order_by(*_LAST_FIRST).limit(1)
    row = session.execute(query).first()
    return Promotion(*row) if row else None


def _model(values: Mapping[Any, Any]) -> Model:
    return Model(**{**values, "classes": tuple(values["classes"])})
