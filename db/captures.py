"""Captures: the photographs that stations sent, each recorded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from db.schema import Captures, Checks, Pockets
from db.statements import insert


@dataclass(frozen=True)
class Capture:
    """One photograph of one insert after one operation, as its event told it.

    ``image`` is the key in the image store, ``region`` the box in pixels (left, top, width, height) that shows the
    insert. All other fields are those of the event.
    """

    capture_id: UUID
    captured_at: datetime
    station: str
    machine: str
    head: str
    pocket: int
    operation: str
    check_id: UUID
    check_size: int
    image: str
    image_sha256: str
    region: Mapping[str, int] | None = None
    insert_designation: str | None = None
    edge: int | None = None
    operations_on_edge: int | None = None


_COLUMNS = [getattr(Captures, field.name) for field in fields(Capture)]


def record(session: Session, capture: Capture, received_at: datetime) -> bool:
    """Keep a capture, with its check and its pocket; True if it was new.

    A capture that is already there stays as it is, so the same message may arrive any number of times.

    Raises:
        ValueError: a datetime is naive.
    """
    # The usual repetition writes nothing at all, not even a lock on the row of its check.
    if session.scalar(select(Captures.capture_id).where(Captures.capture_id == capture.capture_id)):
        return False
    _record_check(session, capture)
    values: dict[str, Any] = asdict(capture) | {"received_at": received_at}
    written = session.execute(
        insert(session, Captures).values(values).on_conflict_do_nothing().returning(Captures.capture_id)
    )
    if written.first() is None:
        return False
    _record_pocket(session, capture)
    return True


def _record_check(session: Session, capture: Capture) -> None:
    new = insert(session, Checks).values(
        check_id=capture.check_id,
        station=capture.station,
        machine=capture.machine,
        head=capture.head,
        operation=capture.operation,
        size=capture.check_size,
        started_at=capture.captured_at,
    )
    # Captures may arrive in any order; the check began with the earliest.
    session.execute(
        new.on_conflict_do_update(
            index_elements=[Checks.check_id],
            set_={"started_at": new.excluded.started_at},
            where=new.excluded.started_at < Checks.started_at,
        )
    )


def _record_pocket(session: Session, capture: Capture) -> None:
    new = insert(session, Pockets).values(
        machine=capture.machine,
        head=capture.head,
        pocket=capture.pocket,
        captured_at=capture.captured_at,
        capture_id=capture.capture_id,
    )
    newer = tuple_(new.excluded.captured_at, new.excluded.capture_id) > tuple_(Pockets.captured_at, Pockets.capture_id)
    session.execute(
        new.on_conflict_do_update(
            index_elements=[Pockets.machine, Pockets.head, Pockets.pocket],
            set_={"captured_at": new.excluded.captured_at, "capture_id": new.excluded.capture_id},
            where=newer,
        )
    )


def find(session: Session, capture_id: UUID) -> Capture | None:
    """The capture of that id, or None."""
    row = session.execute(select(*_COLUMNS).where(Captures.capture_id == capture_id)).first()
    return Capture(**row._mapping) if row else None


def attempts(session: Session, capture_id: UUID) -> int:
    """How often judging this capture was tried; 0 for one that was never recorded."""
    return session.scalar(select(Captures.attempts).where(Captures.capture_id == capture_id)) or 0


def count_attempt(session: Session, capture_id: UUID) -> int:
    """Note that judging this capture is being tried, and return how often it has been, this time included.

    Raises:
        LookupError: the capture was never recorded.
    """
    attempts: int | None = session.scalar(
        update(Captures)
        .where(Captures.capture_id == capture_id)
        .values(attempts=Captures.attempts + 1)
        .returning(Captures.attempts)
    )
    if attempts is None:
        raise LookupError(f"capture {capture_id} is not recorded, so its attempts cannot be counted")
    return attempts
