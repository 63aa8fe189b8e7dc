"""The rows of checks: a check is there once an event names it, also an event that cannot be used.

Otherwise nothing would say that a pocket, or a whole head, was photographed without being seen: its last photograph
would go on to show an insert of before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, case, func, or_, select
from sqlalchemy.orm import Session

from db.engine.clock import TICK
from db.engine.prepared import Prepared, inserted
from db.line import check_revisions, head_size, incomplete_checks
from db.schema.tables import Checks, Pockets
from producer.contract.names import IMPORTED


@dataclass(frozen=True)
class NamedCheck:
    """What an event that cannot be used says of its check, as far as can be read; `size` 0: as large as its head.

    It makes no check larger than its head is known to be. Without a machine it may be of each one that has the head;
    without a head it is of its check's.
    """

    check_id: UUID
    station: str
    machine: str | None
    head: str | None
    operation: str
    size: int
    own_id: UUID
    """Of a check of this event alone, where the one that it names is of another run or head; or `check_id` again."""


NAMES: Final = ("check_id", "station", "machine", "head", "operation")
"""What the first event of a check says of it, and no later one changes."""


def _begin(dialect: str, rows: int) -> Any:
    # Captures may arrive in any order; the check began with the earliest, and is as large as the largest says.
    new = inserted(dialect, Checks, (*NAMES, "size", "started_at", "awaited"), rows)
    earlier, larger = new.excluded.started_at < Checks.started_at, new.excluded.size > Checks.size
    return new.on_conflict_do_update(
        index_elements=[Checks.check_id],
        set_={
            "started_at": case((earlier, new.excluded.started_at), else_=Checks.started_at),
            "size": case((larger, new.excluded.size), else_=Checks.size),
        },
        where=or_(earlier, larger),
    )


BEGIN: Final = Prepared(_begin)
"""Writes checks; of one that is there, that it began earlier or is larger."""


_CHECKS_AT_ONCE: Final = 100
"""Checks that one statement writes: a message may name as many as all machines have heads."""


def _newest(of: Any, moment: Any) -> Prepared:
    """The newest moment that a table has of a head."""
    of_head = of.machine == bindparam("machine"), of.head == bindparam("head")
    return Prepared(lambda *_: select(func.max(moment)).where(*of_head))


_NEWEST_CHECK: Final = _newest(Checks, Checks.started_at)
_NEWEST_PHOTOGRAPH: Final = _newest(Pockets, Pockets.ordered_at)
_OF_ID: Final = Prepared(
    lambda *_: select(Checks.machine, Checks.head, Checks.started_at).where(
        Checks.check_id == bindparam("id", type_=Checks.check_id.type)
    )
)


def begin(session: Session, named: Collection[NamedCheck], at: datetime) -> dict[UUID, UUID]:
    """Have these checks be there; what begins one here comes `at` this moment, and behind all that its head has.

    Those that pend then are noted: of some no fault tells (`db.line.holds`). Whoever calls it holds no check yet.

    Returns:
        The check of each event, by its `own_id`: the one that it names, unless that is of another head, or something
        later is known of its head. Then the event is of a check of its own, which is later than all, and says nothing
        of that one. There is none for an event without a machine whose head no machine has, nor for one without a head
        whose check is not known.
    """
    connection = session.connection()
    pockets_of = cache(partial(head_size.known, connection))
    checks: dict[UUID, UUID] = {}
    rows: dict[UUID, dict[str, Any]] = {}
    for event, check in [(one.own_id, check) for one in named for check in _of_heads(session, one)]:
        head = {"machine": check.machine, "head": check.head}
        [[newest]] = _NEWEST_CHECK.execute(connection, **head)
        [[newest_photograph]] = _NEWEST_PHOTOGRAPH.execute(connection, **head)
        check_id = check.own_id if _is_of_another_run(session, check, newest) else check.check_id
        checks.setdefault(event, check_id)
        pockets = pockets_of(check.head)  # it says more by mistake, as the rest of it
        size = min(check.size or pockets, pockets or check.size) or 1
        size = max(size, rows.get(check_id, {"size": 0})["size"])
        # A worker's clock may have been set back since what its head has.
        began = max([at, *(moment + TICK for moment in (newest, newest_photograph) if moment is not None)])
        row = {name: getattr(check, name) for name in NAMES}
        rows[check_id] = row | {"check_id": check_id, "size": size, "started_at": began, "awaited": True}
    ids = sorted(rows)
    for first in range(0, len(ids), _CHECKS_AT_ONCE):
        step = ids[first : first + _CHECKS_AT_ONCE]
        BEGIN.execute(connection, [rows[check_id] for check_id in step])
        incomplete_checks.update_awaited(connection, step)
        pending = select(Checks.check_id).where(Checks.check_id.in_(step), Checks.awaited)
        check_revisions.note_pending(session, [*session.scalars(pending)])
    return checks


def _of_heads(session: Session, check: NamedCheck) -> list[NamedCheck]:
    """The check of each head that it may be of: its own, without one that of its check, and without a machine one of
    each that has its head, of which the first has its ids and pocket."""
    if check.head is None:
        return [
            replace(check, machine=machine, head=head)
            for machine, head, _ in _OF_ID.execute(session.connection(), id=check.check_id)
        ]
    if check.machine is not None:
        return [check]
    query = select(Pockets.machine).where(Pockets.head == check.head, Pockets.machine != IMPORTED)
    [*machines] = session.scalars(query.distinct().order_by(Pockets.machine))
    others = ((machine, UUID(int=check.own_id.int ^ number)) for number, machine in enumerate(machines[1:], 1))
    return [replace(check, machine=machine) for machine in machines[:1]] + [
        replace(check, machine=machine, size=0, check_id=own_id, own_id=own_id) for machine, own_id in others
    ]


def _is_of_another_run(session: Session, check: NamedCheck, newest: datetime | None) -> bool:
    for machine, head, started_at in _OF_ID.execute(session.connection(), id=check.check_id):
        return (machine, head) != (check.machine, check.head) or started_at < (newest or started_at)
    return False
