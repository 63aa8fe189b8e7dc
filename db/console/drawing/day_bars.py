"""Bars, one for each of a station's last days: how far each was from the reference days by one aspect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from db.line.station_days import StationDay

DAYS: Final = 14
"""How many days are drawn."""

STEP: Final = 12
"""The width of a day, in units of the drawing."""

HEIGHT: Final = 40
LIMIT: Final = 20
"""The height of the line that usual days are below: the farthest reference day, or what matters at all."""

_LEAST: Final = 0.02


@dataclass(frozen=True)
class Bar:
    """One day: its left edge and its height from below, and whether it is unlike the reference days."""

    x: int
    height: float
    drifted: bool


def bars(days: Sequence[StationDay], aspect: str, today: date) -> list[Bar]:
    """The bars of the days before `today` that were compared by an aspect; one beyond twice the limit is cut off."""
    begin = today - timedelta(days=DAYS)
    drawn = []
    for day in days:
        seen = day.aspects.get(aspect)
        if seen is not None and begin <= day.day < today:
            height = LIMIT * max(seen["distance"], 0) / max(seen["usual"], _LEAST)
            drawn.append(Bar(STEP * (day.day - begin).days, round(min(max(height, 1), HEIGHT), 1), seen["drifted"]))
    return drawn
