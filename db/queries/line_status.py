"""The state of the line at this moment, for monitoring: what waits, what is faulty, how much is unsure.

It is queried every few seconds as long as the line runs. So each answer comes from an index and a bounded number of
rows, with ten million captures as with ten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from sqlalchemy import Select, bindparam, case, func, literal_column, select, text
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.learning.model_registry import Model, champion
from db.line import station_days
from db.line.rows import NEWEST_FIRST
from db.queries import unusable_runs
from db.schema.column_words import STANDING_FAULTS
from db.schema.tables import Captures, Checks, Faults, Pockets
from producer.contract.names import IMPORTED

WINDOW: Final = 1_000
"""How many of the newest captures the share of unsure ones is taken of."""

MOST_FAULTS: Final = 10_000
"""How many open faults are counted at most; more need no exact number."""

LOOK_BACK: Final = timedelta(days=30)
"""The greatest age of a capture that is searched for: a dismissed fault leaves its capture without a verdict for ever,
and years of these must not be read each time."""

TIMEOUT_MS: Final = 2_000
"""Milliseconds after which PostgreSQL gives a question up."""


@dataclass(frozen=True)
class LineStatus:
    """The state of the line at one moment.

    `oldest_waiting` is the place in the order (`db.line.capture_order`) of the oldest capture that has neither a
    verdict nor a fault that is its end (one that was requeued waits again), None where none of the last `LOOK_BACK`
    waits. `open_faults` counts the open ones by reason, `MOST_FAULTS` at most. `unsure` is the share of unsure ones
    among the judged of the `WINDOW` newest captures of the line, None where none of them is judged. `unusable_runs` are
    the stations whose newest photographs cannot be judged, and how many (`db.queries.unusable_runs`);
    `drift_seconds` are those whose days have come to be unlike their reference days, and how long these days were
    (`db.line.station_days`).
    """

    oldest_waiting: datetime | None
    open_faults: Mapping[str, int]
    unsure: float | None
    champion: Model | None
    unusable_runs: Mapping[str, int] = field(default_factory=dict)
    drift_seconds: Mapping[str, float] = field(default_factory=dict)


def current(session: Session, now: datetime) -> LineStatus:
    """The state of the line now, in a reading scope (`db.engine.database.Database.reading`)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL statement_timeout = {TIMEOUT_MS}"))
    judged, unsure = session.execute(unsure_query()).one()
    return LineStatus(
        oldest_waiting=session.scalar(oldest_query(now - LOOK_BACK)),
        open_faults=dict(session.execute(faults_query()).all()),
        unsure=unsure / judged if judged else None,
        champion=champion(session),
        unusable_runs=unusable_runs.lengths(session),
        drift_seconds={drift.station: 86_400.0 * drift.days for drift in station_days.drifting(session, now.date())},
    )


def oldest_query(since: datetime) -> Select[datetime]:
    """When the oldest capture was taken, not before `since`, that still waits for its verdict."""
    # A fault is the end of its capture while it is open or dismissed. Each is looked up by the capture, in the order of
    # time, so that what is read are the captures in a fault that are older than the one looked for.
    ended = (
        select(literal_column("1"))
        .where(Faults.capture_id == Captures.capture_id, Faults.state.in_(STANDING_FAULTS))
        .exists()
    )
    return (
        select(Captures.ordered_at)
        .where(Captures.outcome.is_(None), Captures.ordered_at >= since, ~ended)
        # By outcome too, though it is the same for all: PostgreSQL does not see that IS NULL keeps the index in order.
        .order_by(Captures.outcome, Captures.ordered_at, Captures.capture_id)
        .limit(1)
    )


@cache
def faults_query() -> Select[str, int]:
    """How many faults are open, by reason."""
    open_ones = (
        select(Faults.reason)
        .where(Faults.state == "open")
        .order_by(Faults.last_at.desc(), Faults.id.desc())
        .limit(MOST_FAULTS)
        .subquery()
    )
    return select(open_ones.c.reason, func.count()).group_by(open_ones.c.reason).order_by(open_ones.c.reason)


def of_no_known_head(session: Session, since: datetime) -> tuple[int, datetime | None]:
    """How many open faults, that came since a moment, are of no head that can be known, and when the first one came.

    Each may be of a photograph of any head: what the head's earlier photographs show says nothing of now then.
    """
    [(count, first_at)] = _OF_NO_KNOWN_HEAD.execute(session.connection(), since=since)
    return count, first_at


def _of_no_known_head(*_: object) -> Select[int, datetime | None]:
    of_check = select(Checks.check_id).where(Checks.check_id == Faults.check_id)
    # A name that no photograph ever had may be a part of one that was read wrongly.
    has_check = of_check.join(Pockets, (Pockets.machine == Checks.machine) & (Pockets.head == Checks.head)).exists()
    since = bindparam("since", type_=Faults.last_at.type)
    newest = select(Faults.first_at).where(Faults.state == "open", Faults.last_at > since)
    newest = newest.where(Faults.reason == "invalid_event", ~has_check)
    rows = newest.order_by(Faults.last_at.desc(), Faults.id.desc()).limit(MOST_FAULTS).subquery()
    return select(func.count(), func.min(rows.c.first_at)).select_from(rows)


_OF_NO_KNOWN_HEAD: Final = Prepared(_of_no_known_head)


def unsure_query() -> Select[int, int]:
    """How many of the newest captures are judged, and how many of these unsure."""
    newest = select(Captures.outcome, Captures.machine).order_by(*NEWEST_FIRST).limit(WINDOW).subquery()
    of_the_line = select(newest.c.outcome).where(newest.c.machine != IMPORTED).subquery()
    return select(
        func.count(of_the_line.c.outcome),
        func.coalesce(func.sum(case((of_the_line.c.outcome == "unsure", 1), else_=0)), 0),
    )
