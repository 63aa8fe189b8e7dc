"""`/` and `/board`: every head at a glance, for a desk and for a screen on the shop floor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from db.console.access.guard import Viewer, Watcher
from db.console.context import Console, console_of
from db.console.drawing.head_map import HeadMap, head_map
from db.console.live.feed import FAULTS, head_id
from db.console.reader.texts import Text
from db.console.rendering import page
from db.line import faults
from db.queries import head_overview, line_status
from db.queries.head_overview import HeadOverview

router = APIRouter()

_FAULTS_SHOWN = 5


@dataclass(frozen=True)
class Card:
    """A head as a page shows it; `stale` where its last photograph says nothing about now."""

    id: str
    overview: HeadOverview
    map: HeadMap
    age: timedelta
    stale: bool


@router.get("/")
def line(request: Request, person: Viewer) -> Response:
    """Every head of the line."""
    return page(request, "line.html", **_line(console_of(request)))


@router.get("/board")
def board(request: Request, person: Watcher) -> Response:
    """The same for a screen that nobody touches: no menu, always dark."""
    return page(request, "board.html", **_line(console_of(request)))


@router.get("/line/heads")
def heads(request: Request, person: Watcher) -> Response:
    """All heads, as a piece of those pages."""
    return page(request, "heads.html", **_line(console_of(request)))


@router.get("/line/head")
def one_head(request: Request, machine: str, head: str, person: Watcher) -> Response:
    """One head, as a piece of those pages."""
    console = console_of(request)
    with console.database.reading() as session:
        if (machine, head) not in head_overview.heads(session):
            raise HTTPException(404, Text("there is no such head"))
        card = _card(console, session, machine, head)
    return page(request, "head.html", card=card)


@router.get("/line/faults")
def open_faults(request: Request, person: Watcher) -> Response:
    """What could not be judged, as a piece of those pages."""
    with console_of(request).database.reading() as session:
        return page(request, "faults.html", **_faults(session))


def _line(console: Console) -> dict[str, Any]:
    with console.database.reading() as session:
        cards = [_card(console, session, machine, head) for machine, head in head_overview.heads(session)]
        return {"cards": cards, **_faults(session)}


def _faults(session: Session) -> dict[str, Any]:
    return {
        "faults_id": FAULTS,
        "fault_counts": dict(session.execute(line_status.faults_query()).all()),
        "faults": faults.search(session, limit=_FAULTS_SHOWN),
    }


def _card(console: Console, session: Session, machine: str, head: str) -> Card:
    overview = head_overview.overview(session, machine, head)
    known = console.heads.get(head) if console.heads is not None else None
    # A pocket beyond what the register says was photographed all the same: it is drawn.
    size = max(overview.size, known.pockets if known is not None else 0)
    age = datetime.now(UTC) - (overview.last_at or datetime.now(UTC))
    return Card(
        id=head_id(machine, head),
        overview=overview,
        map=head_map(size, known.layout if known is not None else "circle"),
        age=age,
        stale=age > console.settings.stale_after,
    )
