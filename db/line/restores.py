"""What a restored backup leaves: of each head its state of before.

Whatever was judged after the backup is lost, damage too, and no station sends again what was answered. So no answer of
before is `go` until its pockets are photographed again (`db.line.contradictions.of_before_a_restore`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from db.engine import clock
from db.engine.upsert import insert
from db.line.rows import on_machine
from db.schema.tables import Audit, Captures, Checks, Pockets
from producer.contract.places import PocketPlace

_BY: Final = "restore"
_ACTION: Final = "backup restored"
_DOUBTED: Final = "checks of before doubted"

_LAST: Final = select(Audit.at).where(Audit.by == _BY, Audit.action == _ACTION).order_by(Audit.id.desc()).limit(1)

HAS_OLD_PHOTOGRAPHS: Final[ColumnElement[bool]] = (
    select(Captures.capture_id)
    .where(Captures.check_id == Checks.check_id, Captures.received_at < _LAST.scalar_subquery())
    .correlate(Checks)
    .exists()
)
"""Whether a check has photographs of before the last restore."""


def record(session: Session, *, at: datetime, file: str, made_at: str, highest: int = 0) -> None:
    """Have the audit say that the database is now a backup's: everything since that backup is lost.

    `highest` is the highest number of a check's answer in the database that it replaced (`db.line.check_revisions`).

    All that is in it came before this moment, whatever the clocks of then said, or this one says.
    """
    _write(session, at, _ACTION, file[:200], made_at=made_at, highest=highest)
    later: Any = update(Captures.__table__).where(Captures.received_at >= at)  # type: ignore[arg-type]
    session.execute(later.values(received_at=at - clock.TICK))


def restored_at(session: Session) -> datetime | None:
    """When a backup was restored last; None if none ever was."""
    return session.scalar(_LAST)


def latest_known(session: Session) -> tuple[datetime, int]:
    """The latest moment that is known of the last restore, and the highest number told before it.

    The moment is its own, or that of its backup, by a clock that is behind.
    """
    at, detail = session.execute(_LAST.add_columns(Audit.detail)).one()
    return max(at, datetime.fromisoformat(detail["made_at"])), detail.get("highest", 0)


def is_to_doubt(session: Session) -> bool:
    """Whether a backup was restored whose checks are not doubted yet (`db.line.restored_checks`)."""
    return session.scalar(select(Audit.action).where(Audit.by == _BY).order_by(Audit.id.desc()).limit(1)) == _ACTION


def note_doubted(session: Session, *, at: datetime, checks: int) -> None:
    """Have the audit say that the checks of before the last restore are doubted."""
    _write(session, at, _DOUBTED, "", checks=checks)


def not_seen_since(session: Session, machine: str | None = None, head: str | None = None) -> Sequence[PocketPlace]:
    """The pockets that were photographed before a backup was restored and not since: later damage is not known."""
    restored = restored_at(session)
    if restored is None:
        return []
    query = select(Pockets.machine, Pockets.head, Pockets.pocket)
    query = query.join(Captures, Captures.capture_id == Pockets.capture_id)
    query = query.where(on_machine(Pockets.machine, machine), Captures.received_at < restored)
    if head is not None:
        query = query.where(Pockets.head == head)
    ordered = query.order_by(Pockets.machine, Pockets.head, Pockets.pocket)
    return [PocketPlace(*row) for row in session.execute(ordered)]


def _write(session: Session, at: datetime, action: str, subject: str, **detail: Any) -> None:
    row = {"at": at, "by": _BY, "action": action, "subject": subject, "detail": detail}
    session.execute(insert(session, Audit).values(row))
