"""`/checks`: what the last operations came to."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.numbers import Typed
from db.console.reader import moments
from db.console.reader.mistakes import no_state
from db.console.rendering import page
from db.line import checks as subject
from db.queries import known_places
from producer.contract.vocabulary import STATES, State

router = APIRouter(dependencies=[moments.InIso])

SHOWN: Final = 50


@router.get("/checks")
def checks(
    request: Request,
    person: Viewer,
    machine: Typed = "",
    head: Typed = "",
    station: str = "",
    state: str = "",
    since: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = SHOWN,
) -> Response:
    """Checks, the one that began last first; an empty filter is none."""
    chosen: State | None = next((known for known in STATES if known == state), None)
    if state and chosen is None:
        raise HTTPException(400, no_state(state, STATES))
    with console_of(request).database.reading() as session:
        rows = subject.recent(
            session,
            machine=machine or None,
            head=head or None,
            station=station or None,
            state=chosen,
            since=moments.moment_of(since),
            limit=limit,
        )
        unknown = None
        if not rows:
            unknown = known_places.unknown(session, machine or None, head or None, station=station or None)
    filters = {"machine": machine, "head": head, "station": station, "state": state, "since": since}
    return page(
        request,
        "checks.html",
        status=404 if unknown else 200,
        rows=rows,
        states=STATES,
        asked=filters,
        limit=limit,
        unknown=unknown,
    )
