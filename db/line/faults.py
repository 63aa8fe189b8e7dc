"""Faults: what could not be judged, kept with a reason that a person can act on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import case, func, literal_column, select, update
from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.line import pockets
from db.schema.column_types import fitting
from db.schema.column_words import STANDING_FAULTS
from db.schema.tables import Captures, Faults
from producer.contract.reasons import refusals as why

MAX_EVENT: Final = 16_384
"""How many characters of an event are kept; a valid one has some 700."""

MAX_DETAIL: Final = 4_000
"""How many characters of an explanation are kept."""


@dataclass(frozen=True)
class Fault:
    """Something that could not be judged.

    `reason` is a short code for machines (`invalid_event`, `image_missing`, `image_unreadable`, `digest_mismatch`,
    `crashed`), `detail` what a person needs to know, `event` the message as it came, and `count` how often it came.
    `state` is `open`, `requeued` when a person has asked for another try, `closed` once the event came again (and ended
    in a verdict, or in a new fault), or `dismissed` by a person. `seen_by` is who saw it first, `closed_by` who asked
    for another try or dismissed it; both are None if it was not done at the console.
    """

    id: int
    capture_id: UUID | None
    station: str | None
    check_id: UUID | None
    pocket: int | None
    reason: str
    detail: str
    event: str
    first_at: datetime
    last_at: datetime
    count: int
    state: str
    seen_by: str | None = None
    seen_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None


_UNREAD: Final = ("image_missing", "image_unreadable", "digest_mismatch")

# As a word, not as a parameter: from the eleventh fault of a connection on PostgreSQL plans without the values of
# parameters, and then finds no index for a conflict that depends on one.
_OPEN: Final = Faults.state == literal_column("'open'")

_COLUMNS = [getattr(Faults, field.name) for field in fields(Fault)]


def record(
    session: Session,
    *,
    capture_id: UUID | None,
    station: str | None,
    check_id: UUID | None,
    pocket: int | None,
    reason: str,
    detail: str,
    event: str,
    at: datetime,
) -> Fault:
    """Keep a fault, or count it once more where the same one is open, and return it.

    The same means the same reason, capture, check and pocket, or the same event and reason where the capture is not
    known. What comes from outside is made to fit: over-long text is cut, and a pocket that no head can have is dropped.

    Raises:
        ValueError: `at` is naive.
    """
    new = insert(session, Faults).values(
        subject=subject(reason, event, capture_id, check_id, pocket),
        capture_id=capture_id,
        station=None if station is None else fitting(station, 64),
        check_id=check_id,
        pocket=pocket if pocket is not None and 0 < pocket < 2**31 else None,
        reason=fitting(reason, 64),
        detail=fitting(detail, MAX_DETAIL),
        event=fitting(event, MAX_EVENT),
        first_at=at,
        last_at=at,
        count=1,
        state="open",
    )
    latest = case((new.excluded.last_at > Faults.last_at, new.excluded.last_at), else_=Faults.last_at)
    row = session.execute(
        new.on_conflict_do_update(
            index_elements=[Faults.subject],
            index_where=_OPEN,
            set_={"count": Faults.count + 1, "last_at": latest, "detail": new.excluded.detail},
        ).returning(*_COLUMNS)
    ).one()
    if capture_id is not None:
        pockets.mark(session.connection(), [capture_id])
    return Fault(*row)


def search(
    session: Session, *, state: str | None = "open", station: str | None = None, limit: int = 100
) -> list[Fault]:
    """Faults in a state (None: in any), of a station where one is named; the latest first."""
    query = select(*_COLUMNS).order_by(Faults.last_at.desc(), Faults.id.desc()).limit(limit)
    if state is not None:
        query = query.where(Faults.state == state)
    if station is not None:
        query = query.where(Faults.station == station)
    return [Fault(*row) for row in session.execute(query)]


def find(session: Session, fault_id: int) -> Fault | None:
    """The fault of that number, or None."""
    row = session.execute(select(*_COLUMNS).where(Faults.id == fault_id)).first()
    return Fault(*row) if row else None


def is_unread(session: Session, capture_id: UUID) -> bool:
    """Whether the photograph of a capture could not be read, or was another one, so that none of it was ever judged."""
    of_it = Faults.capture_id == capture_id, func.coalesce(Faults.state, "").in_(STANDING_FAULTS)
    unread = select(Faults.id).where(*of_it, Faults.reason.in_(_UNREAD)).limit(1)
    return session.scalar(unread) is not None


def see(session: Session, fault_ids: Sequence[int], *, by: str, at: datetime) -> list[int]:
    """Note who was the first to see each fault; returns the numbers of those that were unseen before."""
    unseen = update(Faults).where(Faults.id.in_(fault_ids), Faults.seen_by.is_(None), Faults.state == "open")
    return sorted(session.scalars(unseen.values(seen_by=by, seen_at=at).returning(Faults.id)))


def requeue(session: Session, fault_id: int, *, by: str | None = None, at: datetime | None = None) -> Fault:
    """Ask for another try; a worker takes the event up again within seconds, with all its attempts before it.

    `by` and `at` are who asks and when, where that is known.

    Raises:
        LookupError: there is no such fault.
        ValueError: it is not open.
    """
    fault = _move(session, fault_id, "requeued", by, at)
    if fault.capture_id is not None:
        session.execute(update(Captures).where(Captures.capture_id == fault.capture_id).values(attempts=0))
    return fault


def close(session: Session, fault_id: int) -> None:
    """Note that a requeued fault was tried again; the result is a verdict or another fault."""
    session.execute(update(Faults).where(Faults.id == fault_id, Faults.state == "requeued").values(state="closed"))


def dismiss(session: Session, fault_id: int, *, by: str | None = None, at: datetime | None = None) -> Fault:
    """Note that nothing is to be done about a fault.

    `by` and `at` are who says so and when, where that is known.

    Raises:
        LookupError: there is no such fault.
        ValueError: it is not open.
    """
    return _move(session, fault_id, "dismissed", by, at)


def _move(session: Session, fault_id: int, state: str, by: str | None, at: datetime | None) -> Fault:
    still_open = update(Faults).where(Faults.id == fault_id, Faults.state == "open")
    moved = session.execute(still_open.values(state=state, closed_by=by, closed_at=at).returning(*_COLUMNS)).first()
    if moved is not None:
        return Fault(*moved)
    fault = find(session, fault_id)
    if fault is None:
        raise LookupError(why.NO_FAULT(fault=fault_id))
    raise ValueError(_NOT_OPEN[fault.state](fault=fault_id))


_NOT_OPEN: Final = {
    "requeued": why.FAULT_REQUEUED,
    "closed": why.FAULT_CLOSED,
    "dismissed": why.FAULT_DISMISSED,
}


def subject(reason: str, event: str, capture_id: UUID | None, check_id: UUID | None, pocket: int | None) -> str:
    """SHA-256, in hexadecimal, of what makes two reports the same fault.

    A capture's id alone is not enough: a program that gives several photographs one id has as many faults.
    """
    what = f"event {event}" if capture_id is None else f"capture {capture_id} of pocket {pocket} in {check_id}"
    return hashlib.sha256(f"{reason}\n{what}".encode(errors="surrogatepass")).hexdigest()
