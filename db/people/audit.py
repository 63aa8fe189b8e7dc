"""The audit: who changed what, and when. Each change is written with its row here, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.schema.column_words import AuditAction
from db.schema.tables import Audit


@dataclass(frozen=True)
class AuditEntry:
    """One thing that a person did: `action` to `subject`, as `detail` says."""

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    detail: dict[str, Any]


_COLUMNS = [getattr(Audit, field.name) for field in fields(AuditEntry)]


def write(
    session: Session,
    *,
    at: datetime,
    by: str,
    action: AuditAction,
    subject: str,
    signed: str | None = None,
    **detail: Any,
) -> None:
    """Add a row, in the transaction of the change itself.

    Who is `signed` did it, in the name of `by`: at a terminal any name may be given.
    """
    detail |= {} if signed is None else {"said by": by}
    session.execute(insert(Audit).values(at=at, by=signed or by, action=action, subject=subject[:200], detail=detail))


def recent(
    session: Session,
    *,
    by: str | None = None,
    action: AuditAction | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """The newest rows first; `before` is the number of the last one of the page before."""
    query = select(*_COLUMNS).order_by(Audit.id.desc()).limit(limit)
    if by is not None:
        query = query.where(Audit.by == by)
    if action is not None:
        query = query.where(Audit.action == action)
    if before is not None:
        query = query.where(Audit.id < before)
    return [AuditEntry(*row) for row in session.execute(query)]
