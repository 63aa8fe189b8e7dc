"""What one pocket has been through: its captures with what was decided about them, and one capture in the same form."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from db.line.insert_changes import insert_changed_at, insert_removed_at
from db.line.rows import (
    COLUMNS,
    NEWEST_FIRST,
    Position,
    VerdictRow,
    conditions,
    current_verdict,
    older_than,
)
from db.schema.tables import Captures, Faults, Verdicts


@dataclass(frozen=True)
class PocketRow(VerdictRow):
    """One capture, what was decided about it, and in `review` the label of its newest review, which overrides it.

    `insert_changed_at` is the last recorded change of the insert before the capture was taken, `insert_removed_at` the
    first recorded change after it.
    """

    review: str | None = None
    insert_changed_at: datetime | None = None
    insert_removed_at: datetime | None = None


# Of several open faults of a capture the latest is enough.
_FAULT = (
    select(Faults.reason)
    .where(Faults.capture_id == Captures.capture_id, Faults.state == "open")
    .order_by(Faults.id.desc())
    .limit(1)
    .scalar_subquery()
    .label("fault")
)
_LIFE = (insert_changed_at(), insert_removed_at())
_WHOLE: Select[Any] = select(*COLUMNS, _FAULT, Captures.review, *_LIFE).outerjoin(Verdicts, current_verdict())


def of_pocket(
    session: Session, machine: str, head: str, pocket: int, *, limit: int = 100, after: Position | None = None
) -> list[PocketRow]:
    """One pocket's life, newest first: every capture, also those not judged yet, with reviews and open faults.

    `after` is the position of the last one of the page before.
    """
    query = _WHOLE.where(*conditions({"machine": machine, "head": head, "pocket": pocket}))
    if after is not None:
        query = query.where(older_than(after))
    return [_row(row) for row in session.execute(query.order_by(*NEWEST_FIRST).limit(limit))]


def of_capture(session: Session, capture_id: UUID) -> PocketRow | None:
    """One capture in the form of `of_pocket`; None if it was never recorded."""
    row = session.execute(_WHOLE.where(Captures.capture_id == capture_id)).first()
    return _row(row) if row else None


def known(session: Session, capture_ids: Collection[UUID]) -> set[UUID]:
    """Those of these captures that are still recorded."""
    return set(session.scalars(select(Captures.capture_id).where(Captures.capture_id.in_(capture_ids))))


def _row(row: Row[*tuple[Any, ...]]) -> PocketRow:
    return PocketRow(**row._mapping)
