"""Days of stations as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from db.line.station_days import ASPECTS, Aspect, StationDay
from db.terminal.tables import table


def station_day_table(days: Sequence[StationDay]) -> Table:
    """Days of stations: by each aspect how far from the reference days, and how far the farthest of these is."""
    return table(
        ["station", "day", "photographs", *ASPECTS, "state"],
        (
            [
                day.station,
                day.day.isoformat(),
                day.photographs,
                *(_distance(day.aspects.get(name)) for name in ASPECTS),
                _state(day),
            ]
            for day in days
        ),
    )


def _distance(aspect: Aspect | None) -> str | None:
    if aspect is None:
        return None
    medians = "" if aspect["median"] is None else f" ({aspect['median']:.4g}, usually {aspect['usual_median']:.4g})"
    return f"{aspect['distance']:.2f}{medians}" + (" !" if aspect["drifted"] else "")


def _state(day: StationDay) -> str:
    if day.accepted_by is not None:
        return f"accepted by {day.accepted_by}"
    if day.drifted:
        return "unlike: " + ", ".join(day.drifted)
    return "reference" if day.is_reference else "usual" if day.aspects else "not compared"
