"""Who looks at which photograph now: several people go through one queue, and no two see the same within a minute."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from db.engine.database import Database
from db.learning import leases
from db.line.photographs import is_there
from db.line.rows import COLUMNS, NEWEST_FIRST, VerdictRow, current_verdict, older_than
from db.queries import review_queue
from db.queries.review_queue import ToReview
from db.schema.tables import Captures, Verdicts

SECONDS: Final = 60.0
"""For so long a photograph is one person's, from when it was handed out, asked for again, or labelled."""

LOOKED_THROUGH: Final = 100
"""How much of the queue is read to find what no other person looks at."""


@dataclass(frozen=True)
class Turn:
    """What one person should look at next, and how much else waits; `more`: there is more than was counted."""

    items: tuple[ToReview, ...]
    left: int
    more: bool


def hand_out(database: Database, holder: str, count: int, without: Collection[UUID], at: datetime) -> Turn:
    """The next photographs for a person, beside those that the person has or does not want.

    The queue is read before the leases are taken, so a photograph may have been labelled in between: its lease is then
    still its reviewer's.
    """
    with database.reading() as session:
        queue = review_queue.queue(session, LOOKED_THROUGH)
    items: list[ToReview] = []
    with database.transaction(synced=False) as session:
        for item in queue:
            if len(items) == count:
                break
            capture_id = item.row.capture_id
            if capture_id not in without and keep(session, holder, capture_id, at):
                items.append(item)
    others = sum(item.row.capture_id not in without for item in queue)
    return Turn(tuple(items), others, more=len(queue) == LOOKED_THROUGH)


def keep(session: Session, holder: str, capture_id: UUID, at: datetime) -> bool:
    """Keep a photograph for one person from now on; False where it is another's."""
    return leases.take(session, f"review {capture_id}", holder, at=at, seconds=SECONDS)


def one(session: Session, capture_id: UUID) -> VerdictRow | None:
    """The row of one capture, judged or not; None where there is none."""
    query = select(*COLUMNS).outerjoin(Verdicts, current_verdict()).where(Captures.capture_id == capture_id)
    row = session.execute(query).first()
    return VerdictRow(*row) if row else None


def previous(session: Session, row: VerdictRow) -> UUID | None:
    """The capture of the same pocket before this one that has a photograph, if there is one."""
    place = tuple_(Captures.machine, Captures.head, Captures.pocket) == (row.machine, row.head, row.pocket)
    before = select(Captures.capture_id).where(place, older_than((row.ordered_at, row.capture_id)), is_there())
    return session.scalar(before.order_by(*NEWEST_FIRST).limit(1))
