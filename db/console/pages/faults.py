"""`/faults`: what could not be judged, who has seen it, and how workers, connectors and stations are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from db.console.access.guard import FaultReader, FaultSettler, Viewer
from db.console.context import console_of
from db.console.numbers import Row
from db.console.reader.mistakes import no_state
from db.console.rendering import page
from db.line import faults as subject
from db.line.faults import Fault
from db.people import audit
from db.queries import connector_health, known_places, station_health, unusable_runs
from db.schema.column_words import FAULT_STATES, AuditAction

router = APIRouter()

SHOWN: Final = 50

_MOST_FAULTS: Final = 1000


@router.get("/faults")
def faults(
    request: Request,
    person: Viewer,
    state: str = "open",
    station: str = "",
    limit: Annotated[int, Query(ge=1, le=_MOST_FAULTS)] = SHOWN,
) -> Response:
    """Faults in a state, or in `any`, the latest first; then workers, connectors and stations."""
    if state not in (*FAULT_STATES, "any"):
        raise HTTPException(400, no_state(state, (*FAULT_STATES, "any")))
    chosen, now, station = None if state == "any" else state, datetime.now(UTC), station.strip()
    with console_of(request).database.reading() as session:
        rows = subject.search(session, state=chosen, station=station or None, limit=limit)
        stations, workers = station_health.stations(session), station_health.workers(session, now)
        runs = unusable_runs.runs(session)
        connectors = connector_health.connectors(session, now)
        unknown = None if rows else known_places.unknown(session, station=station or None)
    if station:
        stations, runs = [of for of in stations if of.station == station], [of for of in runs if of.station == station]
    return page(
        request,
        "fault_list.html",
        status=404 if unknown else 200,
        unknown=unknown,
        rows=rows,
        stations=stations,
        workers=workers,
        connectors=connectors,
        runs=runs,
        states=FAULT_STATES,
        asked={"state": state, "station": station},
        limit=limit,
        words=station_health.TELLING,
        waiting_too_long=station_health.WAITS_TOO_LONG,
        stale_after=console_of(request).settings.stale_after,
    )


@router.post("/faults/seen")
def seen(
    request: Request,
    person: FaultReader,
    fault: Annotated[list[Row], Form(max_length=_MOST_FAULTS)],
    state: Annotated[str, Form()] = "open",
    station: Annotated[str, Form()] = "",
) -> Response:
    """Note that a person has seen these."""
    now = datetime.now(UTC)
    with console_of(request).database.transaction() as session:
        for number in subject.see(session, fault, by=person.name, at=now):
            audit.write(session, at=now, by=person.name, action="fault seen", subject=str(number))
    return _back(state, station)


@router.post("/faults/again")
def again(
    request: Request,
    person: FaultSettler,
    fault: Annotated[Row, Form()],
    state: Annotated[str, Form()] = "open",
    station: Annotated[str, Form()] = "",
) -> Response:
    """Have a worker try once more."""
    _close(request, person.name, fault, "fault requeued", subject.requeue)
    return _back(state, station)


@router.post("/faults/dismiss")
def dismiss(
    request: Request,
    person: FaultSettler,
    fault: Annotated[Row, Form()],
    state: Annotated[str, Form()] = "open",
    station: Annotated[str, Form()] = "",
) -> Response:
    """Close a fault: nothing is to be done about it."""
    _close(request, person.name, fault, "fault dismissed", subject.dismiss)
    return _back(state, station)


def _close(request: Request, by: str, number: int, action: AuditAction, change: Callable[..., Fault]) -> None:
    now = datetime.now(UTC)
    try:
        with console_of(request).database.transaction() as session:
            closed = change(session, number, by=by, at=now)
            audit.write(session, at=now, by=by, action=action, subject=str(number), reason=closed.reason)
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    except ValueError as error:
        raise HTTPException(409, str(error)) from error


def _back(state: str, station: str) -> Response:
    return RedirectResponse("/faults?" + urlencode({"state": state, "station": station}), 303)
