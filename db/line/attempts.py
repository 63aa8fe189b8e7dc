"""How often judging a capture was tried: counted before each attempt, so that one that kills its process is known."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.schema.tables import Captures


def of(session: Session, capture_id: UUID) -> int:
    """How often judging this capture was tried; 0 for one that was never recorded."""
    return session.scalar(select(Captures.attempts).where(Captures.capture_id == capture_id)) or 0


def count(session: Session, capture_id: UUID) -> int:
    """Note that judging this capture is being tried, and return how often it has been, this time included.

    Raises:
        LookupError: the capture was never recorded.
    """
    counted: int | None = session.scalar(
        update(Captures)
        .where(Captures.capture_id == capture_id)
        .values(attempts=Captures.attempts + 1)
        .returning(Captures.attempts)
    )
    if counted is None:
        raise LookupError(f"capture {capture_id} is not recorded, so its attempts cannot be counted")
    return counted
