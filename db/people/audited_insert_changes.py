"""A person's changes of inserts, each with a row in the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from db.line import insert_changes, untold_changes
from db.line.insert_changes import InsertChange
from db.people import audit


def record(
    session: Session,
    machine: str,
    head: str,
    pocket: int,
    *,
    by: str,
    at: datetime,
    first: UUID | None,
    seen: UUID | None = None,
    signed: str | None = None,
    late: bool = False,
    **detail: Any,
) -> tuple[InsertChange, bool]:
    """Record that an insert was changed, and return whether that is new: a known change gets no second row.

    If no photograph shows the new insert yet, the plant's other systems get the change. `signed` is the name for the
    audit if it is another than `by`: at a terminal any name may be given. With `late`, another system reported the
    change at the moment `at` and it arrives only now: that report gets an answer of its own.

    Raises:
        LookupError: there is no such pocket, or no such capture of it.
        NewerPhotograph: there is a photograph after `seen`, the newest that the person knew of.
    """
    change, is_new = insert_changes.record(
        session, machine, head, pocket, by=by, at=at, first=first, seen=seen, late=late
    )
    if is_new:
        detail = {"from": change.at.isoformat(), **detail}
        audit.write(session, at=at, by=by, signed=signed, action="insert changed", subject=_place(change), **detail)
        if first is None and not late:
            untold_changes.keep(session, change)
    return change, is_new


def withdraw(session: Session, number: int, *, by: str, at: datetime, **detail: Any) -> InsertChange:
    """Take back what was said by mistake, and return what it was.

    Raises:
        LookupError: there is no such change.
    """
    gone = insert_changes.withdraw(session, number)
    detail = {"from": gone.at.isoformat(), "said by": gone.by, **detail}
    audit.write(session, at=at, by=by, action="insert change withdrawn", subject=_place(gone), **detail)
    untold_changes.keep(session, gone, withdrawn=True)
    return gone


def _place(change: InsertChange) -> str:
    return f"{change.machine} · {change.head} · {change.pocket}"
