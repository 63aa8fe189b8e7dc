"""What a restored backup leaves: of each head its state of before.

Whatever was judged after the backup is lost, damage too, and no station sends again what was answered. So no answer of
before is `go` until its pockets are photographed again (`db.line.contradictions.of_before_a_restore`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.line import incomplete_checks
from db.line.rows import on_machine
from db.schema.tables import Audit, Captures, Checks, Pockets, UntoldChecks
from producer.contract.places import PocketPlace

_BY: Final = "restore"
_ACTION: Final = "backup restored"


def record(session: Session, *, at: datetime, file: str, made_at: str) -> None:
    """Have the audit say that the database is now a backup's: everything since that backup is lost."""
    row = {"at": at, "by": _BY, "action": _ACTION, "subject": file[:200], "detail": {"made_at": made_at}}
    session.execute(insert(session, Audit).values(row))


def restored_at(session: Session) -> datetime | None:
    """When a backup was restored last; None if none ever was."""
    last = select(Audit.at).where(Audit.by == _BY, Audit.action == _ACTION).order_by(Audit.id.desc()).limit(1)
    return session.scalar(last)


def doubt_newest_checks(session: Session) -> None:
    """Have the newest check of each head that was not photographed since read again, and its answer sent."""
    heads = {(machine, head) for machine, head, _ in not_seen_since(session)}
    newest = select(Checks.check_id, Checks.awaited).order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(1)
    of_heads = (newest.where(Checks.machine == machine, Checks.head == head) for machine, head in sorted(heads))
    # Of a head that came only in another one's checks there is none; and what still waits for photographs is no go.
    ids = [check_id for of_head in of_heads for check_id, awaited in session.execute(of_head) if not awaited]
    if ids:
        incomplete_checks.doubt(session, ids)
        untold = insert(session, UntoldChecks).values([{"check_id": check_id} for check_id in ids])
        session.execute(untold.on_conflict_do_nothing())


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
