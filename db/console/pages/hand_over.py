"""`/handover`: what one shift tells the next, on a page that can be printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.reader import moments
from db.console.reader.texts import Text
from db.console.rendering import page
from db.queries import hand_over as subject

router = APIRouter()

SHIFT: Final = timedelta(hours=8)


@router.get("/handover")
def hand_over(request: Request, person: Viewer, since: str = "") -> Response:
    """The shift since a moment, or of the last eight hours."""
    now = datetime.now(UTC)
    begin = moments.moment_of(since) or now - SHIFT
    if begin > now:
        raise HTTPException(400, Text("%(since)s is still to come: write when the shift began", since=since))
    with console_of(request).database.reading() as session:
        shift = subject.since(session, begin, console_of(request).change_costs)
    return page(request, "hand_over.html", shift=shift, begin=begin, since=since, most=subject.MOST)
