"""Stations whose newest photographs cannot be judged, one after another: one thing to repair, not many to review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, case, select
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line.rows import NEWEST_FIRST, current_verdict
from db.schema.tables import Captures, Verdicts
from producer.contract.names import IMPORTED
from producer.contract.reasons.photographs import NO_REASON

FEWEST: Final = 5
"""How many in a row are no longer chance."""

WINDOW: Final = 1_000
"""How many of the line's newest captures are looked through."""


@dataclass(frozen=True)
class UnusableRun:
    """The newest photographs of a station that cannot be judged: how many in a row, since when, and why the last.

    One that is longer than the `WINDOW` is as long as that.
    """

    station: str
    captures: int
    since: datetime
    reason: str


def lengths(session: Session) -> dict[str, int]:
    """How long each station's run is, of those of `FEWEST` and more."""
    return {station: len(run) for station, run in _runs(session).items()}


def runs(session: Session) -> list[UnusableRun]:
    """The runs of `FEWEST` and more, the longest first."""
    unsorted = []
    for station, run in _runs(session).items():
        reason = session.scalar(
            select(Verdicts.reason).join(Captures, current_verdict()).where(Captures.capture_id == run[0][0])
        )
        unsorted.append(UnusableRun(station, len(run), run[-1][1], reason or NO_REASON()))
    return sorted(unsorted, key=lambda run: (-run.captures, run.station))


def _runs(session: Session) -> dict[str, list[tuple[UUID, datetime]]]:
    """Captures and moments of each station's run, the newest first."""
    by_station: dict[str, list[tuple[UUID, datetime]]] = {}
    ended = set()
    for station, machine, outcome, capture_id, ordered_at in _NEWEST.execute(session.connection()):
        if outcome is None or machine == IMPORTED or station in ended:
            continue
        if outcome == "unusable":
            by_station.setdefault(station, []).append((capture_id, ordered_at))
        else:
            ended.add(station)
    return {station: run for station, run in by_station.items() if len(run) >= FEWEST}


def _newest(*_: object) -> Select[Any]:
    # None of those that end a run: making objects of a thousand ids and moments took most of each look.
    place = [case((Captures.outcome == "unusable", column)) for column in (Captures.capture_id, Captures.ordered_at)]
    newest = select(Captures.station, Captures.machine, Captures.outcome, *place)
    return newest.order_by(*NEWEST_FIRST).limit(WINDOW)


_NEWEST: Final = Prepared(_newest)
