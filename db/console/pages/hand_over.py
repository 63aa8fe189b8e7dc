"""`/handover`: what one shift tells the next, on a page that can be printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from db.console import left_open
from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.reader import moments
from db.console.reader.texts import Text
from db.console.rendering import page
from db.engine.times import by_the_clock
from db.queries import hand_over as subject
from db.queries import head_overview

router = APIRouter(dependencies=[moments.InIso])

SHIFT: Final = timedelta(hours=8)

HEADS: Final = 1_000
"""In so many heads what is unknown is looked for: where most were not photographed as a whole, each costs about a
millisecond of processor time."""


@router.get("/handover")
def hand_over(request: Request, person: Viewer, since: str = "") -> Response:
    """The shift since a moment, or of the last eight hours by the clock."""
    now = datetime.now(UTC)
    begin = moments.moment_of(since) or by_the_clock(now, SHIFT)
    if begin > now:
        raise HTTPException(400, Text("%(since)s is still to come: write when the shift began", since=since))
    with console_of(request).database.reading() as session:
        shift = subject.since(session, begin, console_of(request).change_costs)
        heads = head_overview.heads(session)
        unknown = left_open.unknown(console_of(request), session, heads[:HEADS], shift.to_replace)
    return page(
        request,
        "hand_over.html",
        shift=shift,
        unknown=unknown,
        looked_through=HEADS if len(heads) > HEADS else None,
        begin=begin,
        since=since,
        most=subject.MOST_OF_A_KIND,
    )
