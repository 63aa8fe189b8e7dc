"""`/checks`: what the last operations came to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.rendering import page
from db.engine.times import parse_moment
from db.line import checks as subject
from producer.contract.vocabulary import STATES, State

router = APIRouter()

SHOWN: Final = 50


@router.get("/checks")
def checks(
    request: Request,
    person: Viewer,
    machine: str = "",
    head: str = "",
    station: str = "",
    state: str = "",
    since: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = SHOWN,
) -> Response:
    """Checks, the one that began last first; an empty filter is none."""
    chosen: State | None = next((known for known in STATES if known == state), None)
    if state and chosen is None:
        raise HTTPException(400, f"{state!r} is no state: {', '.join(STATES)}")
    try:
        earliest = parse_moment(since, datetime.now(UTC)) if since else None
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    with console_of(request).database.reading() as session:
        rows = subject.recent(
            session,
            machine=machine or None,
            head=head or None,
            station=station or None,
            state=chosen,
            since=earliest,
            limit=limit,
        )
    asked = {"machine": machine, "head": head, "station": station, "state": state, "since": since}
    return page(request, "checks.html", rows=rows, states=STATES, asked=asked, limit=limit)
