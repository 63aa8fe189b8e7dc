"""What maintenance asks: which inserts to change now, what one pocket has been through, and what one capture shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, text, union_all
from sqlalchemy.orm import Session

from db.line import insert_changes
from db.line.damaged_pockets import damaged
from db.line.insert_changes import InsertChange, insert_changed_at, insert_removed_at
from db.line.rows import (
    COLUMNS,
    NEWEST_FIRST,
    Position,
    VerdictRow,
    conditions,
    current_verdict,
    older_than,
    on_machine,
)
from db.schema.tables import Captures, Faults, Pockets, Verdicts
from producer.contract.places import PocketPlace


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


def history(
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
    """One capture in the form of `history`; None if it was never recorded."""
    row = session.execute(_WHOLE.where(Captures.capture_id == capture_id)).first()
    return _row(row) if row else None


def known(session: Session, capture_ids: Collection[UUID]) -> set[UUID]:
    """Those of these captures that are still recorded."""
    return set(session.scalars(select(Captures.capture_id).where(Captures.capture_id.in_(capture_ids))))


def to_replace(session: Session, machine: str | None = None, head: str | None = None) -> list[PocketRow]:
    """The inserts to change now, by machine, head and pocket.

    A pocket is in the list when its newest judged capture that shows the insert is `damaged`, by its newest review
    where there is one, else by its verdict (`db.line.pockets`); the photograph of the new insert takes it out once it
    is judged, or a person who says that it was changed (`db.line.insert_changes`). What was imported is in no machine,
    so it is in the list only where its machine is asked for. The cost is that of the answer, and of what is still to
    be judged: a partial index holds just these pockets.
    """
    rows: list[PocketRow] = []
    for damage in damaged():
        query: Select[Any] = (
            select(*COLUMNS, Captures.review, insert_changed_at())
            .select_from(damage)
            .join(Captures, Captures.capture_id == damage.c.capture_id)
            .outerjoin(Verdicts, current_verdict())
            .where(on_machine(damage.c.machine, machine))
        )
        if head is not None:
            query = query.where(damage.c.head == head)
        rows += map(_row, session.execute(query))
    return sorted(rows, key=_place)


def places_to_replace(session: Session) -> list[PocketPlace]:
    """Where the inserts of `to_replace` are, for who asks for no more: a fraction of its cost."""
    columns = [damage.c for damage in damaged()]
    queries = [select(of.machine, of.head, of.pocket).where(on_machine(of.machine, None)) for of in columns]
    return sorted(PocketPlace(*row) for row in session.execute(union_all(*queries)))


def just_changed(session: Session, machine: str | None = None, head: str | None = None) -> list[InsertChange]:
    """The inserts that a person changed since `to_replace` had them, and that no photograph shows yet, by place."""
    of_head = [] if head is None else [Pockets.head == head]
    return insert_changes.unseen(session, text("pockets.damaged"), on_machine(Pockets.machine, machine), *of_head)


def _place(of: PocketRow) -> PocketPlace:
    return PocketPlace(of.machine, of.head, of.pocket)


def _row(row: Row[*tuple[Any, ...]]) -> PocketRow:
    return PocketRow(**row._mapping)
