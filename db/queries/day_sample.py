"""Which photographs represent a station's day, and which days are still to be measured.

What it costs is bounded, however many photographs a day has: of each hour the newest `MOST_AN_HOUR` are looked at, and
`SAMPLE` are taken of these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import zip_longest
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.line import station_days
from db.line.rows import NEWEST_FIRST, current_verdict
from db.queries.station_health import station_names
from db.schema.tables import Captures, Verdicts
from producer.contract.names import IMPORTED
from producer.contract.places import PocketPlace
from producer.contract.vocabulary import JUDGED

SAMPLE: Final = 60
"""How many photographs represent a day at most."""

MOST_AN_HOUR: Final = 200
"""How many photographs of an hour are looked at to choose from."""

SETTLED: Final = timedelta(hours=1)
"""How long after its end a day is measured: by then what was taken on it is judged."""

LOOK_BACK: Final = timedelta(days=30)
"""How old a day may be that is still measured; also how much of its history a line begins with."""


@dataclass(frozen=True)
class Sampled:
    """A photograph that represents its day: where its image is, and what was measured of it where it was judged.

    What `worker.features.extraction` needs of a capture it has too.
    """

    capture_id: UUID
    image: str
    image_sha256: str
    region: Mapping[str, Any] | None
    brightness: float | None
    sharpness: float | None
    decision: float | None
    model_id: str | None
    machine: str
    head: str
    pocket: int

    @property
    def place(self) -> PocketPlace:
        """The machine, head and pocket."""
        return PocketPlace(self.machine, self.head, self.pocket)


def unmeasured(session: Session, now: datetime) -> list[tuple[str, date]]:
    """The stations' days that have ended and were not measured, the earliest first.

    Of a station these are the days from its first photograph to its newest one, of the last `LOOK_BACK`.
    """
    last = (now - SETTLED).astimezone(UTC).date() - timedelta(days=1)
    earliest = last - LOOK_BACK
    due = []
    for station in station_names(session):
        of = (Captures.station == station, Captures.ordered_at >= _begin(earliest))
        newest = select(Captures.ordered_at, Captures.machine).where(*of).order_by(*NEWEST_FIRST).limit(1)
        row = session.execute(newest).first()
        if row is None or row.machine == IMPORTED:
            continue
        first = session.scalar(select(func.min(Captures.ordered_at)).where(*of)) or row.ordered_at
        known = station_days.measured(session, station, first.date())
        days = (min(row.ordered_at.date(), last) - first.date()).days + 1
        due += [(station, day) for day in (first.date() + timedelta(n) for n in range(days)) if day not in known]
    return sorted(due, key=lambda one: (one[1], one[0]))


def sample(session: Session, station: str, day: date) -> list[Sampled]:
    """At most `SAMPLE` judged photographs of a station's day; the pockets take turns, within each chance decides.

    So a head that is photographed often has no more weight than another. The same captures give the same sample.
    """
    by_pocket: dict[PocketPlace, list[UUID]] = {}
    for hour in range(24):
        begin = _begin(day) + timedelta(hours=hour)
        newest = (
            select(Captures.capture_id, Captures.machine, Captures.head, Captures.pocket)
            .where(Captures.station == station, Captures.ordered_at >= begin)
            .where(Captures.ordered_at < begin + timedelta(hours=1))
            .where(Captures.outcome.in_(JUDGED), Captures.machine != IMPORTED)
            .order_by(*NEWEST_FIRST)
            .limit(MOST_AN_HOUR)
        )
        for capture, machine, head, pocket in session.execute(newest):
            by_pocket.setdefault(PocketPlace(machine, head, pocket), []).append(capture)
    turns = zip_longest(*(sorted(captures, key=_by_lot) for captures in by_pocket.values()))
    chosen = [capture for turn in turns for capture in sorted((one for one in turn if one is not None), key=_by_lot)][
        :SAMPLE
    ]
    query = (
        select(
            Captures.capture_id,
            Captures.image,
            Captures.image_sha256,
            Captures.region,
            Verdicts.brightness,
            Verdicts.sharpness,
            Verdicts.decision,
            Verdicts.model_id,
            Captures.machine,
            Captures.head,
            Captures.pocket,
        )
        .join(Verdicts, current_verdict())
        .where(Captures.capture_id.in_(chosen))
        .order_by(Captures.ordered_at, Captures.capture_id)
    )
    return [Sampled(*row) for row in session.execute(query)]


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _by_lot(capture: UUID) -> bytes:
    return hashlib.sha256(capture.bytes).digest()
