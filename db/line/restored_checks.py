"""After a restore: the newest check of each head is read again, and its answer sent."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.line import incomplete_checks, restores
from db.schema.tables import Checks, UntoldChecks


def doubt_newest(session: Session) -> None:
    """Have the newest check of each head that was not photographed since read again, and its answer sent."""
    heads = {(machine, head) for machine, head, _ in restores.not_seen_since(session)}
    newest = select(Checks.check_id, Checks.awaited).order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(1)
    of_heads = (newest.where(Checks.machine == machine, Checks.head == head) for machine, head in sorted(heads))
    # Of a head that came only in another one's checks there is none; and what still waits for photographs is no go: it
    # is doubted when they have come (`db.line.incomplete_checks`).
    ids = [check_id for of_head in of_heads for check_id, awaited in session.execute(of_head) if not awaited]
    if ids:
        incomplete_checks.doubt(session, ids)
        untold = insert(session, UntoldChecks).values([{"check_id": check_id} for check_id in ids])
        session.execute(untold.on_conflict_do_nothing())
