"""What maintenance asks: which inserts to change now, and what one pocket has been through."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from db.rows import COLUMNS, NEWEST_FIRST, VerdictRow, conditions, current_verdict
from db.schema import Captures, Faults, Pockets, Verdicts


def history(session: Session, machine: str, head: str, pocket: int, *, limit: int = 100) -> list[VerdictRow]:
    """One pocket's life, newest first: every capture, also those without a verdict yet, and open faults."""
    query: Select[Any] = (
        select(*COLUMNS, Faults.reason)
        .outerjoin(Verdicts, current_verdict())
        .outerjoin(Faults, (Faults.capture_id == Captures.capture_id) & (Faults.state == "open"))
        .where(*conditions({"machine": machine, "head": head, "pocket": pocket}))
        .order_by(*NEWEST_FIRST, Faults.id.desc())
        .limit(limit)
    )
    # A capture with several open faults comes several times; the latest of them is enough here.
    by_capture: dict[UUID, VerdictRow] = {}
    for row in session.execute(query):
        by_capture.setdefault(row[0], VerdictRow(*row))
    return list(by_capture.values())


def to_replace(session: Session, machine: str | None = None, head: str | None = None) -> list[VerdictRow]:
    """The inserts to change now, by machine, head and pocket.

    A pocket is in the list when its newest capture is ``damaged``; the photograph of the new insert takes it out.
    """
    query = (
        select(*COLUMNS)
        .select_from(Pockets)
        .join(Captures, Captures.capture_id == Pockets.capture_id)
        .join(Verdicts, current_verdict())
        .where(Captures.outcome == "damaged")
        .order_by(Pockets.machine, Pockets.head, Pockets.pocket)
    )
    if machine is not None:
        query = query.where(Pockets.machine == machine)
    if head is not None:
        query = query.where(Pockets.head == head)
    return [VerdictRow(*row) for row in session.execute(query)]
