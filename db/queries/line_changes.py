"""What has changed on the line since the last look: cheap enough to ask every half second."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import func, literal_column, or_, select
from sqlalchemy.orm import Session

from db.queries import unusable_runs
from db.queries.line_status import faults_query
from db.schema.tables import Audit, Captures, Checks, Faults, InsertChanges, Pockets, Promotions, Reviews, Verdicts
from producer.contract.names import IMPORTED
from producer.contract.places import HeadPlace

_NEWEST_CHANGES: Final = (
    select(InsertChanges.id, InsertChanges.machine, InsertChanges.head).order_by(InsertChanges.id.desc()).limit(50)
)
"""Not only how far they have come: one that was taken back is there no longer."""

_NEWEST_CHECKS: Final = (
    select(Checks.check_id, Checks.machine, Checks.head, Checks.revision, Checks.given_up)
    .order_by(Checks.started_at.desc(), Checks.check_id.desc())
    .limit(100)
)
"""An older one is changed only by a review, which is looked for separately."""

FAULTS_AT_ONCE: Final = 50
"""How many of the newest faults are read; if more came between two looks, their heads are unknown."""

_NEWEST_FAULTS: Final = (
    select(Faults.id, Checks.machine, Checks.head, Faults.state)
    .join(Checks, Faults.check_id == Checks.check_id)
    .order_by(Faults.id.desc())
    .limit(FAULTS_AT_ONCE)
)


_AWAITED: Final = select(Checks.check_id, Checks.machine, Checks.head).where(literal_column("checks.awaited"))
"""However long ago they began: one that is there no longer was given up, or is whole."""

_DONE_LAST: Final = select(Audit.id, Audit.action).order_by(Audit.id.desc()).limit(50).subquery()
"""Only these few are searched, not the whole audit."""

_TAKEN_BACK: Final = select(_DONE_LAST.c.id).where(_DONE_LAST.c.action == "insert change withdrawn")

_LOOKED_BACK: Final = 1_000
"""How many of the newest numbers may be missing among those that are there."""

_MISSED_FOR: Final = 60.0
"""Seconds after which a missing number is no longer waited for: its transaction was rolled back. No transaction that
writes verdicts takes as long (`db.engine` waits half as long for a lock)."""


@dataclass(frozen=True)
class Reached:
    """How far the numbers of a table had come at one look.

    PostgreSQL gives a row its number when it is written, and shows it when its transaction is committed, so a lower
    number may be seen later than a higher one: `missing` are those below `newest` that were not there, each with when
    that was noticed (seconds of `time.monotonic`).
    """

    newest: int = 0
    missing: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Marks:
    """How far the line had come at one look.

    `heads` is the newest photograph of each head, `faults` how many are open by reason, `runs` how many of a station's
    newest photographs cannot be judged, where they are an alert (`db.queries.unusable_runs`). `judged` are the heads of
    which a verdict or a review came since the look before. `changed` are the newest insert changes by number, each
    with its head; `of_checks` the newest checks and faults, each with its head and what changes with its answer. What
    is new in `of_all` may be of any head.
    """

    heads: Mapping[HeadPlace, datetime]
    verdicts: Reached
    reviews: Reached
    faults: Mapping[str, int]
    runs: Mapping[str, int]
    judged: frozenset[HeadPlace]
    changed: Mapping[int, HeadPlace]
    of_checks: Mapping[object, tuple[HeadPlace, tuple[object, ...]]]
    awaited: Mapping[object, HeadPlace]
    of_all: frozenset[tuple[str, int]]


def marks(session: Session, since: Marks | None) -> Marks:
    """How far the line is now; `since` is the look before."""
    newest = select(Pockets.machine, Pockets.head, func.max(Pockets.ordered_at)).where(Pockets.machine != IMPORTED)
    verdicts, of_verdicts = _reached(session, Verdicts, since.verdicts if since else None)
    reviews, of_reviews = _reached(session, Reviews, since.reviews if since else None)
    return Marks(
        heads={
            (machine, head): at for machine, head, at in session.execute(newest.group_by(Pockets.machine, Pockets.head))
        },
        verdicts=verdicts,
        reviews=reviews,
        faults=dict(session.execute(faults_query()).all()),
        # Only a verdict begins, lengthens or ends one.
        runs=since.runs if since and since.verdicts == verdicts else unusable_runs.lengths(session),
        judged=of_verdicts | of_reviews if since else frozenset(),
        changed={number: (machine, head) for number, machine, head in session.execute(_NEWEST_CHANGES)},
        of_checks={
            key: ((machine or "", head or ""), tuple(state))
            for query in (_NEWEST_CHECKS, _NEWEST_FAULTS)
            for key, machine, head, *state in session.execute(query)
        },
        awaited={key: (machine, head) for key, machine, head in session.execute(_AWAITED)},
        of_all=frozenset(
            [
                ("promotion", session.scalar(select(func.max(Promotions.id))) or 0),
                *(("taken back", number) for number in session.scalars(_TAKEN_BACK)),
                *_gone(since, verdicts, reviews),
            ]
        ),
    )


def _gone(since: Marks | None, *reached: Reached) -> list[tuple[str, int]]:
    """How far the tables are of which rows went since the look before, as a backup that was put in place has fewer."""
    before = (since.verdicts, since.reviews) if since else reached
    return [("gone since", now.newest) for now, then in zip(reached, before, strict=True) if now.newest < then.newest]


def _reached(
    session: Session, table: type[Verdicts | Reviews], before: Reached | None
) -> tuple[Reached, frozenset[HeadPlace]]:
    """How far a table has come since the look `before`, and the heads of the rows that came."""
    now = time.monotonic()
    newest = session.scalar(select(func.max(table.id))) or 0
    last = before.newest if before is not None else newest - _LOOKED_BACK
    awaited = {number: at for number, at in before.missing.items() if now - at < _MISSED_FOR} if before else {}
    if last >= newest and not awaited:
        return Reached(newest), frozenset()
    rows = select(table.id, Captures.machine, Captures.head).join(Captures, table.capture_id == Captures.capture_id)
    came = session.execute(rows.where(or_(table.id > last, table.id.in_(awaited)))).all()
    there = {number for number, *_ in came}
    newest = max([newest, *there])
    awaited |= dict.fromkeys(range(max(last, newest - _LOOKED_BACK, 0) + 1, newest), now)
    missing = {number: at for number, at in awaited.items() if number not in there}
    return Reached(newest, missing), frozenset((machine, head) for _, machine, head in came)
