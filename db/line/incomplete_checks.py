"""Checks with a pocket that was not photographed: finds them, and stops waiting for them.

A check whose pockets were all photographed is not among them: it waits for workers, not for a station. If all its
pockets arrived but its captures contradict each other, no later photograph can complete it: it is given up at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.engine.upsert import insert
from db.line.check_revisions import next_revision
from db.line.contradicting_captures import MAY_CONTRADICT, OF_CHECK, PHOTOGRAPHED
from db.line.restores import HAS_OLD_PHOTOGRAPHS
from db.schema.tables import AwaitedChecks, Captures, Checks

# As a literal rather than as a parameter: so an engine sees that a partial index will do. They are asked
# for in its order, as SQLite would rather go through all checks where they are to be grouped.
_AWAITED: Final = (
    select(
        Checks.check_id,
        select(func.count()).where(OF_CHECK).scalar_subquery(),
        func.coalesce(select(func.max(Captures.received_at)).where(OF_CHECK).scalar_subquery(), Checks.started_at),
    )
    .where(literal_column("checks.awaited"))
    .order_by(Checks.started_at, Checks.check_id)
)
_STILL_AWAITED: Final = select(Checks.check_id).where(literal_column("checks.awaited"))
_GIVE_UP: Any = (
    update(Checks.__table__)  # type: ignore[arg-type]
    .where(Checks.check_id == bindparam("of_check"), Checks.awaited)
    .where(select(func.count()).where(OF_CHECK).scalar_subquery() == bindparam("of_captures"))
    .values(awaited=False, given_up=True)
)

_SOME_MISSING: Final = Checks.size > PHOTOGRAPHED
# One that was given up is waited for again when a photograph comes after all, one that had all when a larger size is
# told. One that has all is read capture by capture where they may contradict each other, or be of before a restore; one
# that had an answer is returned then, whatever it waits for.
_AWAIT: Final = Prepared(
    lambda *_: (
        update(Checks.__table__)  # type: ignore[arg-type]
        .where(Checks.check_id.in_(bindparam("ids", expanding=True)))
        .where(
            or_(
                Checks.given_up,
                Checks.awaited != _SOME_MISSING,
                (~Checks.awaited | (Checks.revision > literal_column("0"))) & MAY_CONTRADICT,
            )
        )
        .values(awaited=_SOME_MISSING, given_up=~_SOME_MISSING & (MAY_CONTRADICT | HAS_OLD_PHOTOGRAPHS))
        .returning(Checks.check_id, Checks.revision)
    )
)

_GIVE_UP_COUNTED: Final = Prepared(
    lambda *_: (
        update(Checks.__table__)  # type: ignore[arg-type]
        .where(Checks.check_id == bindparam("of_check"), Checks.awaited, bindparam("of_pockets") <= PHOTOGRAPHED)
        .values(awaited=False, given_up=True)
    )
)


@dataclass(frozen=True)
class Awaited:
    """How many captures a check that waits for photographs has so far, and when the last of them arrived.

    Of a check without any, `last_at` is when it began.
    """

    captures: int
    last_at: datetime


def update_awaited(connection: Connection, check_ids: Collection[UUID]) -> list[UUID]:
    """Update whether some checks wait for photographs, after captures of them were recorded.

    The caller holds the checks' rows.

    Returns:
        Those that had an answer and may doubt it now, as for `db.line.check_revisions.note_doubted`, and some more.
    """
    updated = _AWAIT.execute(connection, ids=sorted(check_ids))
    return [check_id for check_id, revision in updated if revision]


def doubt(session: Session, check_ids: Collection[UUID]) -> None:
    """Have some checks read capture by capture from now on: their photographs contradict each other."""
    session.execute(next_revision(Checks.check_id.in_(check_ids) & ~Checks.awaited).values(given_up=True))


def give_up_counted(connection: Connection, counted: Mapping[UUID, int]) -> None:
    """Stop waiting for checks that have received every photograph their stations have.

    `counted` is how many each station has. The caller holds the checks' rows.
    """
    for check_id in sorted(counted):
        _GIVE_UP_COUNTED.execute(connection, of_check=check_id, of_pockets=counted[check_id])


def awaited(session: Session) -> dict[UUID, Awaited]:
    """The checks that wait for photographs."""
    return {row[0]: Awaited(row[1], row[2]) for row in session.execute(_AWAITED)}


def seen_for(session: Session) -> dict[UUID, tuple[Awaited, float]]:
    """For how many seconds workers have seen checks wait in one state, as far as they noted it."""
    rows = session.execute(
        select(AwaitedChecks.check_id, AwaitedChecks.captures, AwaitedChecks.last_at, AwaitedChecks.seconds)
    )
    return {check_id: (Awaited(captures, last_at), seconds) for check_id, captures, last_at, seconds in rows}


def note_seen(session: Session, seen: Mapping[UUID, tuple[Awaited, float]]) -> None:
    """Note for how many seconds checks were seen to wait in their present state, and of no others any more.

    If two workers note the same check at once, either number is good enough.
    """
    session.execute(delete(AwaitedChecks).where(AwaitedChecks.check_id.not_in(_STILL_AWAITED)))
    for check_id in sorted(seen):
        state, seconds = seen[check_id]
        values = {"captures": state.captures, "last_at": state.last_at, "seconds": seconds}
        new = insert(session, AwaitedChecks).values(check_id=check_id, **values)
        session.execute(new.on_conflict_do_update(index_elements=["check_id"], set_=values))


def give_up(session: Session, seen: Mapping[UUID, Awaited]) -> None:
    """Wait no more for what has not come of some checks: those that still consist of as many captures.

    A photograph that comes later counts nevertheless, and has its check waited for again
    (`db.line.captures.arrive`).
    """
    # As in a worker that records a capture: the transaction that locks the checks, in order, sees what others wrote.
    held = select(Checks.check_id).where(Checks.check_id.in_(seen)).order_by(Checks.check_id).with_for_update()
    session.execute(held)
    rows = [{"of_check": check_id, "of_captures": seen[check_id].captures} for check_id in sorted(seen)]
    if rows:
        session.connection().execute(_GIVE_UP, rows)
