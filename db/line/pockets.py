"""Pockets: which of them hold an insert to be replaced, by the outcome of the newest capture of each.

`db.line.captures.record` names a pocket's newest capture, which has no outcome then; what gives a capture
its outcome marks its pocket here, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from db.schema.tables import Captures, Pockets
from producer.contract.vocabulary import OUTCOME_OF

_OUTCOMES = select(
    Captures.machine, Captures.head, Captures.pocket, Captures.capture_id, Captures.outcome, Captures.review
).where(Captures.capture_id.in_(bindparam("ids", expanding=True)))
_MARK: Any = (
    update(Pockets.__table__)  # type: ignore[arg-type]
    .where(
        Pockets.machine == bindparam("of_machine"),
        Pockets.head == bindparam("of_head"),
        Pockets.pocket == bindparam("of_pocket"),
        Pockets.capture_id == bindparam("of_capture"),
    )
    .values(damaged=bindparam("is_damaged"))
)


def mark(connection: Connection, capture_ids: Collection[UUID]) -> None:
    """Bring the pockets up to date whose newest capture is among these: the newest review overrides the verdict.

    The caller holds the captures' rows, so nothing else is decided about them meanwhile.
    """
    if not capture_ids:
        return
    rows = [
        {
            "of_machine": row.machine,
            "of_head": row.head,
            "of_pocket": row.pocket,
            "of_capture": row.capture_id,
            "is_damaged": (row.outcome if row.review is None else OUTCOME_OF[row.review]) == "damaged",
        }
        for row in connection.execute(_OUTCOMES, {"ids": list(capture_ids)})
    ]
    # In the order in which captures take them: two that write wait for each other in line and not in a circle.
    rows.sort(key=lambda row: (row["of_machine"], row["of_head"], row["of_pocket"]))
    if rows:
        connection.execute(_MARK, rows)
