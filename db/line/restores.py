"""What a restored backup leaves: of each head its state of before.

Whatever was judged after the backup is lost, damage too, and no station sends again what was answered. So no answer of
before is `go` until its pockets are photographed again (`db.line.contradictions.of_before_a_restore`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, inspect, select, update
from sqlalchemy.orm import Session

from db.engine import clock
from db.engine.upsert import insert
from db.line import check_revisions
from db.line.rows import on_machine
from db.schema.tables import Audit, Captures, Checks, Pockets
from producer.contract.names import IMPORTED
from producer.contract.places import PocketPlace
from producer.contract.plant_news import Restored

_BY: Final = "restore"
_ACTION: Final = "backup restored"
_DOUBTED: Final = "checks of before doubted"

_LAST: Final = select(Audit.at).where(Audit.by == _BY, Audit.action == _ACTION).order_by(Audit.id.desc()).limit(1)

_PLACE: Final = Pockets.machine, Pockets.head, Pockets.pocket

HAS_OLD_PHOTOGRAPHS: Final[ColumnElement[bool]] = (
    select(Captures.capture_id)
    .where(Captures.check_id == Checks.check_id, Captures.received_at < _LAST.scalar_subquery())
    .correlate(Checks)
    .exists()
)
"""Whether a check has photographs of before the last restore."""


@dataclass(frozen=True)
class Replaced:
    """What a database knew that a backup replaces.

    `highest` is the highest number of a check's answer (`db.line.check_revisions`), `pockets` are those of which it had
    a photograph, or ought to have had one.
    """

    highest: int = 0
    pockets: Collection[PocketPlace] = ()


def replaced(session: Session) -> Replaced:
    """What a database knows before a backup replaces it; it may be of any version."""
    there = inspect(session.connection()).get_table_names()
    if Pockets.__tablename__ not in there:
        return Replaced()
    pockets = {PocketPlace(*row) for row in session.execute(select(*_PLACE))}
    pockets.update(lost_since(session) if Audit.__tablename__ in there else ())
    return Replaced(check_revisions.highest(session), [place for place in pockets if place.machine != IMPORTED])


def record(session: Session, *, at: datetime, file: str, made_at: str, before: Replaced = Replaced()) -> None:
    """Have the audit say that the database is now a backup's: everything since that backup is lost.

    All that is in it came before this moment, whatever the clocks of then said, or this one says. `before` is what is
    known of the database that it replaced.
    """
    known = {PocketPlace(*row) for row in session.execute(select(*_PLACE))}
    lost = sorted({*before.pockets} - known)
    _write(
        session, at, _ACTION, file[:200], made_at=made_at, restore_id=str(uuid4()), highest=before.highest, lost=lost
    )
    later: Any = update(Captures.__table__).where(Captures.received_at >= at)  # type: ignore[arg-type]
    session.execute(later.values(received_at=at - clock.TICK))


def restored_at(session: Session) -> datetime | None:
    """When a backup was restored last; None if none ever was."""
    return session.scalar(_LAST)


def last_news(session: Session) -> Restored | None:
    """What other systems are told of the last restore; None of none, or one by a version that told nothing."""
    row = session.execute(_LAST.add_columns(Audit.detail)).first()
    if row is None or "restore_id" not in row.detail:
        return None
    return Restored(restore_id=UUID(row.detail["restore_id"]), at=row.at, made_at=row.detail["made_at"])


def highest_before(session: Session) -> int:
    """The highest number of an answer that is known from before the last restore (`db.line.check_revisions`)."""
    return int(_detail(session).get("highest", 0))


def is_to_doubt(session: Session) -> bool:
    """Whether a backup was restored whose checks are not doubted yet (`db.line.restored_checks`)."""
    return session.scalar(select(Audit.action).where(Audit.by == _BY).order_by(Audit.id.desc()).limit(1)) == _ACTION


def note_doubted(session: Session, *, at: datetime, checks: int) -> None:
    """Have the audit say that the checks of before the last restore are doubted."""
    _write(session, at, _DOUBTED, "", checks=checks)


def not_seen_since(session: Session, machine: str | None = None, head: str | None = None) -> Sequence[PocketPlace]:
    """The pockets that were photographed before a backup was restored and not since: later damage is not known.

    Also those that were photographed for the first time after the backup was made, as far as the restore knew of them.
    """
    restored = restored_at(session)
    if restored is None:
        return []
    query = select(*_PLACE).join(Captures, Captures.capture_id == Pockets.capture_id)
    query = query.where(on_machine(Pockets.machine, machine), Captures.received_at < restored)
    if head is not None:
        query = query.where(Pockets.head == head)
    return sorted(lost_since(session, machine, head).union(PocketPlace(*row) for row in session.execute(query)))


def lost_since(session: Session, machine: str | None = None, head: str | None = None) -> set[PocketPlace]:
    """The pockets of which the database had a photograph that a backup replaced, and this one has none yet."""
    known_before = (PocketPlace(*place) for place in _detail(session).get("lost", ()))
    lost = {of for of in known_before if machine in (None, of.machine) and head in (None, of.head)}
    return lost - {PocketPlace(*row) for row in session.execute(select(*_PLACE))} if lost else lost


def _detail(session: Session) -> Mapping[str, Any]:
    return session.scalar(_LAST.with_only_columns(Audit.detail)) or {}


def _write(session: Session, at: datetime, action: str, subject: str, **detail: Any) -> None:
    row = {"at": at, "by": _BY, "action": action, "subject": subject, "detail": detail}
    session.execute(insert(session, Audit).values(row))
