"""`/drift`: how each station's days differ from its reference days, and that a change is meant to stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from db.console.access.guard import DriftJudge, Viewer
from db.console.context import console_of
from db.console.drawing import day_bars
from db.console.rendering import page
from db.line import station_days
from db.line.station_days import Aspect, StationDay
from db.people import audited_drift

router = APIRouter()


@router.get("/drift")
def drift(request: Request, person: Viewer) -> Response:
    """The stations, those that drift first, each with its last days by every aspect."""
    today = datetime.now(UTC).date()
    with console_of(request).database.reading() as session:
        days = station_days.recent(session, today - timedelta(days=day_bars.DAYS))
    by_station = [(station, list(some)) for station, some in groupby(days, key=lambda day: day.station)]
    stations = [(station, some, station_days.run_of(station, some)) for station, some in by_station]
    return page(
        request,
        "drift.html",
        stations=sorted(stations, key=lambda station: station[2] is None),
        aspects=station_days.ASPECTS,
        bars=lambda some, aspect: day_bars.bars(some, aspect, today),
        newest=_newest,
        digits=lambda aspect: 2 if aspect == "score" else 0,
        drawing=day_bars,
    )


def _newest(days: Sequence[StationDay], aspect: str) -> Aspect | None:
    return next((day.aspects[aspect] for day in days if aspect in day.aspects), None)


@router.post("/drift/accept")
def accept(request: Request, person: DriftJudge, station: Annotated[str, Form(max_length=64)]) -> Response:
    """Accept the difference at a station as usual from now on."""
    try:
        with console_of(request).database.transaction() as session:
            audited_drift.accept(session, station, by=person.name, at=datetime.now(UTC))
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    return RedirectResponse("/drift", 303)
