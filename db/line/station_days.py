"""How each day of a station compares with its reference days, and which stations drift.

A station's first good days are its reference days. The learner (`worker.learning.drift`) compares later days with them,
aspect by aspect. A station drifts if one aspect did so on `IN_A_ROW` of its days in a row. A person may accept the
difference: then the earlier measurements no longer count, and new reference days are collected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final, TypedDict
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from db.schema.column_types import fitting
from db.schema.tables import StationDays
from producer.contract.reasons import refusals as why

IN_A_ROW: Final = 2
"""On how many days in a row a station must be unlike itself to drift: a single one may be a batch of other inserts."""

LOOK_BACK: Final = timedelta(days=14)
"""How old the newest day may be that a station drifts by, and how long a drift can be seen to last."""

ASPECTS: Final = ("features", "score", "brightness", "sharpness")
"""What days are compared by: what the network sees, the model's decision values, the light, and the focus."""


class Aspect(TypedDict):
    """One day by one aspect.

    `distance` is that to the reference days, 0 (alike) to 1; `usual` the largest of a reference day to the others,
    `chance` the p-value. `median` and `usual_median` are those of the day and of the reference days, None of features.
    """

    distance: float
    usual: float
    chance: float
    drifted: bool
    median: float | None
    usual_median: float | None


@dataclass(frozen=True)
class StationDay:
    """One day (in UTC) of a station, by `photographs` of it.

    `aspects` are those by which it could be compared: none where it has too few photographs, or there are too few
    reference days. `farthest` are the captures that are farthest from the reference days, where it drifted. It is a
    reference day itself where `is_reference`; `accepted_by` has said that what is new is usual from now on.
    """

    station: str
    day: date
    measured_at: datetime
    photographs: int
    fingerprint: str | None = None
    model_id: str | None = None
    aspects: Mapping[str, Aspect] = field(default_factory=dict)
    farthest: Sequence[UUID] = ()
    is_reference: bool = False
    accepted_by: str | None = None
    accepted_at: datetime | None = None

    @property
    def drifted(self) -> tuple[str, ...]:
        """The aspects by which this day is unlike the reference days."""
        return tuple(name for name in ASPECTS if name in self.aspects and self.aspects[name]["drifted"])


@dataclass(frozen=True)
class ReferenceDay:
    """A reference day: which features and whose scores its `sample` (the learner's own form) holds."""

    day: date
    fingerprint: str | None
    model_id: str | None
    sample: bytes


@dataclass(frozen=True)
class Drift:
    """A station that drifts: since which day, on how many of its days in a row, by which aspects.

    `farthest` are captures of the newest of these days.
    """

    station: str
    since: date
    days: int
    aspects: Sequence[str]
    farthest: Sequence[UUID]


_COLUMNS = [
    StationDays.sample.is_not(None) if column.name == "is_reference" else getattr(StationDays, column.name)
    for column in fields(StationDay)
]


def record(session: Session, day: StationDay, sample: bytes | None) -> None:
    """Keep a day's result, and its `sample` if it is a reference day. A day is recorded once."""
    values: dict[str, Any] = {column.name: getattr(day, column.name) for column in fields(StationDay)}
    del values["is_reference"]
    values |= {"farthest": [str(capture) for capture in day.farthest], "sample": sample}
    session.execute(insert(StationDays).values(values))


def reference_days(session: Session, station: str) -> list[ReferenceDay]:
    """The reference days of a station, the first one first."""
    columns = [getattr(StationDays, column.name) for column in fields(ReferenceDay)]
    query = select(*columns).where(StationDays.station == station, StationDays.sample.is_not(None))
    return [ReferenceDay(*row) for row in session.execute(query.order_by(StationDays.day))]


def forget_samples(session: Session, station: str, days: Iterable[date]) -> None:
    """Make these days ordinary days, no longer reference days."""
    of = (StationDays.station == station, StationDays.day.in_(list(days)))
    session.execute(update(StationDays).where(*of).values(sample=None))


def measured(session: Session, station: str, since: date) -> set[date]:
    """The days of a station from `since` on that were recorded."""
    return set(session.scalars(select(StationDays.day).where(StationDays.station == station, StationDays.day >= since)))


def recent(session: Session, since: date, station: str | None = None) -> list[StationDay]:
    """The days from `since` on, by station, the newest first."""
    query = select(*_COLUMNS).where(StationDays.day >= since)
    if station is not None:
        query = query.where(StationDays.station == station)
    return [_day(*row) for row in session.execute(query.order_by(StationDays.station, StationDays.day.desc()))]


def drifting(session: Session, today: date) -> list[Drift]:
    """The stations that drift, by name."""
    by_station = groupby(recent(session, today - LOOK_BACK), key=lambda day: day.station)
    drifts = (run_of(station, list(days)) for station, days in by_station)
    return [drift for drift in drifts if drift is not None]


def run_of(station: str, newest_first: Sequence[StationDay]) -> Drift | None:
    """The drift that a station's newest days show; None if they show none.

    Days that nothing was compared on neither belong to it nor end it; what was accepted ends it.
    """
    run: list[StationDay] = []
    lasting = set(ASPECTS)
    for day in newest_first:
        if day.accepted_by is not None:
            break
        if day.aspects:
            if not lasting & set(day.drifted):
                break
            lasting &= set(day.drifted)
            run.append(day)
    if len(run) < IN_A_ROW:
        return None
    aspects = tuple(name for name in ASPECTS if name in lasting)
    return Drift(station, run[-1].day, len(run), aspects, run[0].farthest)


def accept(session: Session, station: str, *, by: str, at: datetime) -> int:
    """Start to collect new reference days for the station; return how many days counted until now.

    Raises:
        LookupError: nothing of that station was measured, or all was accepted before.
        ValueError: `by` is empty, or `at` is naive.
    """
    if not by.strip():
        raise ValueError("it needs the name of who says that a station's photographs are as they should be")
    of = (StationDays.station == station, StationDays.accepted_by.is_(None))
    values = {"accepted_by": fitting(by.strip(), 120), "accepted_at": at, "sample": None}
    days = session.scalars(update(StationDays).where(*of).values(values).returning(StationDays.day)).all()
    if not days:
        raise LookupError(why.NOTHING_TO_ACCEPT(station=station))
    return len(days)


def _day(*row: Any) -> StationDay:
    day = dict(zip((column.name for column in fields(StationDay)), row, strict=True))
    day |= {"farthest": tuple(UUID(capture) for capture in day["farthest"]), "is_reference": bool(day["is_reference"])}
    return StationDay(**day)
