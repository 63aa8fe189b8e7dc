"""The state of stations and workers: the outcomes of each station's newest photographs, and how long captures wait."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from db.line.capture_order import clock_error
from db.line.rows import NEWEST_FIRST
from db.queries import line_status
from db.schema.tables import Captures, Faults
from producer.contract.event import node
from producer.contract.names import IMPORTED
from producer.contract.vocabulary import OUTCOMES, Outcome

WINDOW: Final = 200
"""How many of a station's newest photographs are compared with as many before them."""

WAITS_TOO_LONG: Final = timedelta(minutes=5)
"""How long a capture may wait for its verdict before a person should check the workers."""

_CHANCE: Final = 3.0
"""Standard errors by which two shares differ where it is hardly chance: less than once in 300 comparisons."""

TELLING: Final[tuple[Outcome, ...]] = tuple(outcome for outcome in reversed(OUTCOMES) if outcome != "intact")
"""The outcomes of which a station's share tells something about it."""


@dataclass(frozen=True)
class Outcomes:
    """How many photographs were judged, and how many of these had each of the `TELLING`."""

    judged: int
    counts: Mapping[Outcome, int]

    def share(self, word: Outcome) -> float:
        """The share of an outcome; 0 where nothing was judged."""
        return self.counts[word] / self.judged if self.judged else 0.0


@dataclass(frozen=True)
class StationHealth:
    """One station: when its newest photograph was taken, and what the newest `WINDOW` and those before came to.

    `before` is None where there are not so many. `clock_error` is how far its clock was wrong at the last photograph,
    None where it was right. `says_order`: its ids name their outbox; otherwise only clocks give the order.
    """

    station: str
    last_at: datetime
    clock_error: timedelta | None
    says_order: bool
    open_faults: int
    now: Outcomes
    before: Outcomes | None

    def drifts(self, word: Outcome) -> bool:
        """Whether the share of an outcome has changed by more than chance: lamp, lens, camera or inserts have."""
        return self.before is not None and differ(self.now, self.before, word)


@dataclass(frozen=True)
class WorkerHealth:
    """The workers' state by the captures: since when the oldest waits, and how many open faults ended a process."""

    oldest_waiting: datetime | None
    crashed: int


def stations(session: Session) -> list[StationHealth]:
    """All stations of the line that have photographs, by name; what it costs grows with the stations only."""
    stations = (_station(session, name) for name in station_names(session))
    return [station for station in stations if station is not None]


def workers(session: Session, now: datetime) -> WorkerHealth:
    """How the workers are, as far as the database knows."""
    crashed = select(func.count()).where(Faults.state == "open", Faults.reason == "crashed")
    oldest = session.scalar(line_status.oldest_query(now - line_status.LOOK_BACK))
    return WorkerHealth(oldest, session.scalar(crashed) or 0)


def differ(one: Outcomes, other: Outcomes, word: Outcome) -> bool:
    """Whether two shares differ by more than chance (the test of two proportions, pooled)."""
    total = one.judged + other.judged
    if not (one.judged and other.judged):
        return False
    pooled = (one.counts[word] + other.counts[word]) / total
    error = math.sqrt(pooled * (1 - pooled) * (1 / one.judged + 1 / other.judged))
    return abs(one.share(word) - other.share(word)) > _CHANCE * error > 0


def station_names(session: Session) -> Iterator[str]:
    """The names of all stations that ever sent a photograph, in order."""
    # From one to the next through the index: a DISTINCT would read all captures.
    name = session.scalar(select(func.min(Captures.station)))
    while name is not None:
        yield name
        name = session.scalar(select(func.min(Captures.station)).where(Captures.station > name))


def _station(session: Session, name: str) -> StationHealth | None:
    newest = select(Captures.machine, Captures.captured_at, Captures.ordered_at, Captures.capture_id)
    newest = newest.where(Captures.station == name)
    machine, captured_at, last_at, capture_id = session.execute(newest.order_by(*NEWEST_FIRST).limit(1)).one()
    if machine == IMPORTED:
        return None
    faults = select(func.count()).where(Faults.station == name, Faults.state == "open")
    before = _outcomes(session, name, WINDOW)
    return StationHealth(
        station=name,
        last_at=last_at,
        clock_error=clock_error(captured_at, last_at),
        says_order=node(capture_id) is not None,
        open_faults=session.scalar(faults) or 0,
        now=_outcomes(session, name, 0),
        before=before if before.judged == WINDOW else None,
    )


def _outcomes(session: Session, name: str, skipped: int) -> Outcomes:
    of_station = select(Captures.outcome).where(Captures.station == name).order_by(*NEWEST_FIRST)
    some = of_station.offset(skipped).limit(WINDOW).subquery()
    counts = [func.coalesce(func.sum(case((some.c.outcome == word, 1), else_=0)), 0) for word in TELLING]
    judged, *numbers = session.execute(select(func.count(some.c.outcome), *counts)).one()
    return Outcomes(judged, dict(zip(TELLING, numbers, strict=True)))
