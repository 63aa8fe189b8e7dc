"""`/` and `/board`: every head at a glance, for a desk and for a screen on the shop floor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from db.console.access.guard import Viewer, Watcher
from db.console.context import Console, console_of
from db.console.drawing.head_map import HeadMap, head_map
from db.console.live.feed import FAULTS, head_id
from db.console.reader.languages import locale_of
from db.console.reader.texts import Text
from db.console.rendering import page, rendered
from db.learning import model_registry
from db.learning.learnt_heads import learnt_heads
from db.line import faults
from db.line.head_checks import Place
from db.queries import head_overview, line_status
from db.queries.head_overview import HeadOverview

router = APIRouter()

AT_ONCE: Final = 50
"""So many heads are on a page: those that were photographed last. A machine's others are on a page of its own."""

_FAULTS_SHOWN = 5


@dataclass(frozen=True)
class Card:
    """A head as a page shows it, how old its last photograph is, and when that says nothing about now any more."""

    id: str
    overview: HeadOverview
    map: HeadMap
    rings: Sequence[tuple[str, Mapping[int, str]]]
    """The last operations, and what each left in which pocket."""
    age: timedelta
    stale_in: timedelta
    unlearnt: bool
    """Whether the model in charge has learned from no photograph of this head."""

    @property
    def stale(self) -> bool:
        """Whether its last photograph says nothing about now."""
        return self.stale_in < timedelta(0)


@router.get("/")
def line(request: Request, person: Viewer, machine: str = "") -> Response:
    """The heads of the line, or of one machine."""
    return page(request, "line.html", **_line(console_of(request), machine))


@router.get("/board")
def board(request: Request, person: Watcher, machine: str = "") -> Response:
    """The same for a screen that nobody touches: no menu, always dark."""
    return page(request, "board.html", **_line(console_of(request), machine))


@router.get("/line/heads")
def heads(request: Request, person: Watcher, machine: str = "") -> Response:
    """All of these heads, as a piece of those pages."""
    return _piece(request, lambda: rendered(request, "heads.html", **_line(console_of(request), machine)))


@router.get("/line/head")
def one_head(request: Request, machine: str, head: str, person: Watcher) -> Response:
    """One head, as a piece of those pages."""

    def made() -> str:
        console = console_of(request)
        with console.database.reading() as session:
            [overview] = head_overview.overviews(session, [(machine, head)])
            learnt = _learnt(session)
        if not overview.words:
            raise HTTPException(404, Text("there is no such head"))
        return rendered(request, "head.html", card=_card(console, overview, learnt))

    return _piece(request, made)


@router.get("/line/faults")
def open_faults(request: Request, person: Watcher) -> Response:
    """What could not be judged, as a piece of those pages."""

    def made() -> str:
        with console_of(request).database.reading() as session:
            return rendered(request, "faults.html", **_faults(session))

    return _piece(request, made)


def _piece(request: Request, make: Callable[[], str]) -> Response:
    """A piece that says the same to everybody who reads its language; boards ask for it together."""
    known = getattr(request.state, "person", None) is not None
    key = request.url.path, request.url.query, str(locale_of(request)), known
    return HTMLResponse(console_of(request).pieces.text(key, make))


def _line(console: Console, machine: str) -> dict[str, Any]:
    with console.database.reading() as session:
        known = head_overview.heads(session)
        places = [place for place in known if machine in ("", place[0])]
        shown = sorted(places[:AT_ONCE])
        learnt = _learnt(session)
        return {
            "cards": [_card(console, overview, learnt) for overview in head_overview.overviews(session, shown)],
            "machine": machine,
            "machines": dict(sorted(Counter(name for name, _ in known).items())),
            "more": len(places) - len(shown),
            **_faults(session),
        }


def _faults(session: Session) -> dict[str, Any]:
    return {
        "faults_id": FAULTS,
        "fault_counts": dict(session.execute(line_status.faults_query()).all()),
        "faults": faults.search(session, limit=_FAULTS_SHOWN),
    }


def _learnt(session: Session) -> frozenset[Place] | None:
    """The heads that the model in charge has learned from; None where there is none, or that is not known."""
    champion = model_registry.champion(session)
    return None if champion is None else learnt_heads(champion)


def _card(console: Console, overview: HeadOverview, learnt: frozenset[Place] | None) -> Card:
    known = console.heads.get(overview.head) if console.heads is not None else None
    # A pocket beyond what the register says was photographed all the same: it is drawn.
    size = max(overview.size, known.pockets if known is not None else 0)
    age = datetime.now(UTC) - (overview.last_at or datetime.now(UTC))
    drawn = head_map(size, known.layout if known is not None else "circle")
    return Card(
        id=head_id(overview.machine, overview.head),
        overview=overview,
        map=drawn,
        rings=[(operation.check.operation, operation.words) for operation in overview.operations],
        age=age,
        stale_in=console.settings.stale_after - age,
        unlearnt=learnt is not None and (overview.machine, overview.head) not in learnt,
    )
