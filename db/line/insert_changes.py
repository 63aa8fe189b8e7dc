"""Insert changes: a person says that a pocket has another insert now, and the life of the one before ends there.

A change has a place in the order of the pocket's photographs (`db.line.capture_order`): the first photograph at or
after its moment shows the new insert. What was known when the change was reported lies before it, whatever the clocks
say. A later photograph has its own place in the order. If that place is before the change, it may show the old insert,
out of a backlog, or the new insert, by a clock that is behind. So a change hides only damage that was `known` when it
was reported (decision 15).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Exists,
    Label,
    ScalarSelect,
    TextClause,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from db.engine import clock
from db.schema.column_types import aware, fitting
from db.schema.tables import Captures, InsertChanges, Pockets
from producer.contract.places import PocketPlace
from producer.contract.reasons import refusals as why


class NewerPhotograph(Exception):
    """A photograph has arrived that the person had not seen: it may show another insert than the one that was meant."""


@dataclass(frozen=True)
class InsertChange:
    """A change of a pocket's insert, and who reported it; `at` is its place in the order of photographs."""

    id: int
    machine: str
    head: str
    pocket: int
    at: datetime
    by: str


class _Place(NamedTuple):
    """Where a change lies: between the moments of the old insert's last photograph and of the new one's first, if there
    is one; `known` is the newest photograph that it is known to end the life of, if there is one."""

    before: datetime
    at: datetime
    after: datetime | None
    known: UUID | None


_COLUMNS = [getattr(InsertChanges, field.name) for field in fields(InsertChange)]
_Known = aliased(Captures)


def insert_changed_at() -> Label[Any]:
    """A column of a query about captures: when the insert was changed last before each was taken; null if never."""
    place = [getattr(InsertChanges, name) == getattr(Captures, name) for name in ("machine", "head", "pocket")]
    query = select(func.max(InsertChanges.at)).where(*place, InsertChanges.at <= Captures.ordered_at)
    return query.correlate(Captures).scalar_subquery().label("insert_changed_at")


def insert_removed_at() -> Label[Any]:
    """A column of a query about captures: when the insert that each shows was changed for another; null if never."""
    place = [getattr(InsertChanges, name) == getattr(Captures, name) for name in ("machine", "head", "pocket")]
    query = select(func.min(InsertChanges.at)).where(*place, InsertChanges.at > Captures.ordered_at)
    return query.correlate(Captures).scalar_subquery().label("insert_removed_at")


def is_unseen() -> Exists:
    """A condition of a query about pockets: a person has changed the insert since the newest photograph.

    It is false of damage that has come since the person said so: that may be of the new insert.
    """
    return exists().where(*_since_newest()).correlate(Pockets)


def is_changed_since(damage: Any) -> Exists:
    """A condition of a query about captures that show damage: a person has changed the insert of each since."""
    return exists().where(*_since(damage, true())).correlate(damage)


def last_changed_at() -> ScalarSelect[Any]:
    """A column of a query about pockets: the place of the last change of the insert; null if there was none."""
    place = [getattr(InsertChanges, name) == getattr(Pockets, name) for name in ("machine", "head", "pocket")]
    return select(func.max(InsertChanges.at)).where(*place).correlate(Pockets).scalar_subquery()


def record(
    session: Session,
    machine: str,
    head: str,
    pocket: int,
    *,
    by: str,
    at: datetime,
    first: UUID | None = None,
    seen: UUID | None = None,
    late: bool = False,
) -> tuple[InsertChange, bool]:
    """Keep that the insert was changed; `first` is the first photograph of the new one, None where there is none yet.

    `seen` is the newest photograph that the person knew of, None where that is not known. With `late` it was said at
    the moment `at` and comes only now: what arrived since was not known then.

    No change lies ahead of the database's clock, but just behind a photograph that does.

    Returns the change and whether it is new: one that was said between the same two photographs already stays as it
    is, so that a button pressed twice changes one insert. A photograph that has come since, and lies before it, is
    another one: what it shows was not meant.

    Raises:
        LookupError: the pocket was never photographed, or `first` or `seen` is no photograph of it.
        NewerPhotograph: there is one after `seen`.
        ValueError: `by` is empty, or `at` is naive.
    """
    if not by.strip():
        raise ValueError("a change of an insert needs the name of who says it")
    place = _between(session, PocketPlace(machine, head, pocket), aware(at), first, late=late)
    if seen is not None:
        _refuse_unseen(session, machine, head, pocket, seen)
    same = select(*_COLUMNS).where(*_of(machine, head, pocket), InsertChanges.at > place.before)
    if place.after is not None:
        same = same.where(InsertChanges.at <= place.after)
    if first is None:
        same = same.where(InsertChanges.known.is_not_distinct_from(place.known))
    earlier = session.execute(same.order_by(InsertChanges.at)).first()
    if earlier is not None:
        return InsertChange(*earlier), False
    values = {"machine": machine, "head": head, "pocket": pocket, "at": place.at, "by": fitting(by.strip(), 120)}
    values |= {"known": place.known}
    return InsertChange(*session.execute(insert(InsertChanges).values(values).returning(*_COLUMNS)).one()), True


def withdraw(session: Session, number: int) -> InsertChange:
    """Take back what was said by mistake, and return what it was.

    Raises:
        LookupError: there is no such change.
    """
    row = session.execute(delete(InsertChanges).where(InsertChanges.id == number).returning(*_COLUMNS)).first()
    if row is None:
        raise LookupError(why.NO_CHANGE(number=number))
    return InsertChange(*row)


def last(session: Session, machine: str, head: str, pocket: int, *, first: UUID | None = None) -> InsertChange:
    """The newest change of a pocket's insert, or the one with which the photograph `first` begins a life.

    Raises:
        LookupError: there is none.
    """
    query = select(*_COLUMNS).where(*_of(machine, head, pocket)).order_by(InsertChanges.at.desc())
    if first is not None:
        place = _between(session, PocketPlace(machine, head, pocket), datetime.min.replace(tzinfo=UTC), first)
        query = query.where(InsertChanges.at > place.before, InsertChanges.at <= place.at)
    row = session.execute(query.limit(1)).first()
    if row is None:
        refusal = why.NOT_CHANGED if first is None else why.NOT_CHANGED_THERE
        raise LookupError(refusal(machine=machine, head=head, pocket=pocket))
    return InsertChange(*row)


def of_pocket(session: Session, machine: str, head: str, pocket: int) -> list[InsertChange]:
    """All changes of a pocket's insert, the newest first."""
    query = select(*_COLUMNS).where(*_of(machine, head, pocket)).order_by(InsertChanges.at.desc())
    return [InsertChange(*row) for row in session.execute(query)]


def unseen(session: Session, *of: ColumnElement[bool] | TextClause) -> list[InsertChange]:
    """The changes since the newest photograph of the pockets that these conditions are true of, by their place.

    As `is_unseen`, it leaves out those since which damage has come.
    """
    query = select(*_COLUMNS).select_from(Pockets).join(InsertChanges, and_(*_since_newest())).where(*of)
    ordered = query.order_by(InsertChanges.machine, InsertChanges.head, InsertChanges.pocket, InsertChanges.at)
    return [InsertChange(*row) for row in session.execute(ordered)]


def since(session: Session, begin: datetime, limit: int = 100) -> list[InsertChange]:
    """The changes from a moment on, the newest first."""
    query = select(*_COLUMNS).where(InsertChanges.at >= begin).order_by(InsertChanges.at.desc()).limit(limit)
    return [InsertChange(*row) for row in session.execute(query)]


def _since_newest() -> list[ColumnElement[bool]]:
    return _since(Pockets, Pockets.damaged)


def _since(of: Any, shows_damage: Any) -> list[ColumnElement[bool]]:
    place = [getattr(InsertChanges, name) == getattr(of, name) for name in ("machine", "head", "pocket")]
    here, known = (tuple_(capture.ordered_at, capture.capture_id) for capture in (of, _Known))
    was_known = exists().where(_Known.capture_id == InsertChanges.known, known >= here)
    hidden = or_(~shows_damage, was_known.correlate(InsertChanges, of))
    return [*place, InsertChanges.at > of.ordered_at, hidden]


def _of(machine: str, head: str, pocket: int) -> list[Any]:
    return [InsertChanges.machine == machine, InsertChanges.head == head, InsertChanges.pocket == pocket]


def _between(session: Session, place: PocketPlace, at: datetime, first: UUID | None, *, late: bool = False) -> _Place:
    machine, head, pocket = place
    # A capture that is recorded meanwhile waits for the pocket's row, or this waits for it.
    here = Pockets.machine == machine, Pockets.head == head, Pockets.pocket == pocket
    if session.scalar(select(Pockets.capture_id).where(*here).with_for_update()) is None:
        raise LookupError(why.UNKNOWN_POCKET(machine=machine, head=head, pocket=pocket))
    taken = _taken(machine, head, pocket)
    photographs = select(Captures.ordered_at, Captures.capture_id).where(*taken)
    newest = photographs.order_by(Captures.ordered_at.desc(), Captures.capture_id.desc()).limit(1)
    at = min(at, clock.of_database(session))
    if first is not None:
        moment = _moment_of(session, machine, head, pocket, first)
        known = session.execute(newest.where(Captures.ordered_at < moment)).first()
    else:
        known = session.execute(newest.where(Captures.received_at <= at) if late else newest).first()
        moment = at if known is None else max(at, known.ordered_at + clock.TICK)
    before = session.scalar(select(func.max(Captures.ordered_at)).where(*taken, Captures.ordered_at < moment))
    after = session.scalar(select(func.min(Captures.ordered_at)).where(*taken, Captures.ordered_at >= moment))
    return _Place(before or moment - clock.TICK, moment, after, known and known.capture_id)


def _taken(machine: str, head: str, pocket: int) -> list[ColumnElement[bool]]:
    return [Captures.machine == machine, Captures.head == head, Captures.pocket == pocket]


def _moment_of(session: Session, machine: str, head: str, pocket: int, capture: UUID) -> datetime:
    of_it = *_taken(machine, head, pocket), Captures.capture_id == capture
    moment = session.scalar(select(Captures.ordered_at).where(*of_it))
    if moment is None:
        raise LookupError(why.NOT_OF_POCKET(capture=capture, machine=machine, head=head, pocket=pocket))
    return moment


def _refuse_unseen(session: Session, machine: str, head: str, pocket: int, seen: UUID) -> None:
    # The pocket's row is held (`_between`): none comes meanwhile.
    moment = _moment_of(session, machine, head, pocket, seen)
    newer = select(Captures.capture_id).where(*_taken(machine, head, pocket), Captures.ordered_at > moment)
    if session.scalar(newer.limit(1)) is not None:
        raise NewerPhotograph(why.NEWER_PHOTOGRAPH(machine=machine, head=head, pocket=pocket))
