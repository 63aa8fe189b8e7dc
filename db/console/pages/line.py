"""`/` and `/board`: every head at a glance, for a desk and for a screen on the shop floor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from db.console.access.guard import Viewer, Watcher
from db.console.context import console_of
from db.console.drawing.head_cards import Card, crowd
from db.console.heads_now import heads_now
from db.console.live.feed import FAULTS, head_id
from db.console.live.pieces import begun_now
from db.console.numbers import Typed
from db.console.reader.languages import locale_of
from db.console.rendering import page, rendered
from db.engine import clock
from db.learning import model_registry
from db.learning.learnt_heads import learnt_heads
from db.line import faults
from db.queries import head_overview, line_status, replace_list, unusable_runs
from db.queries.head_answer import HeadOverview
from producer.contract.places import HeadPlace

router = APIRouter()

HEADS_ON_A_PAGE: Final = 50
"""How many heads are on a page: those that were photographed last. A machine's other heads are on its own page."""

_FAULTS_SHOWN = 5


@router.get("/")
def line(request: Request, person: Viewer, machine: Typed = "") -> Response:
    """The heads of the line, or of one machine."""
    return page(request, "line.html", **_line(request, machine))


@router.get("/board")
def board(request: Request, person: Watcher, machine: Typed = "") -> Response:
    """The same for a screen without input: no menu, always dark."""
    return page(request, "board.html", **_line(request, machine))


@router.get("/line/heads")
def heads(request: Request, person: Watcher, machine: Typed = "") -> Response:
    """All of these heads, as a piece of those pages."""
    return _piece(request, lambda: rendered(request, "heads.html", **_line(request, machine)), machine)


@router.get("/line/head")
def one_head(request: Request, machine: Typed, head: Typed, person: Watcher) -> Response:
    """One head, as a piece of those pages."""

    def piece() -> str:
        with console_of(request).database.reading() as session:
            now = clock.latest(session)
            [overview] = heads_now(console_of(request), session, [(machine, head)], now)
            learnt = _learnt(session)
        if not overview.words:
            raise LookupError("there is no such head")
        return _drawn(request, _card(request, overview, learnt), now)

    return _piece(request, piece, machine, head)


@router.get("/line/faults")
def open_faults(request: Request, person: Watcher) -> Response:
    """What could not be judged, as a piece of those pages."""

    def piece() -> str:
        with console_of(request).database.reading() as session:
            return rendered(request, "faults.html", **_faults(request, session, clock.latest(session)))

    return _piece(request, piece)


def _piece(request: Request, make: Callable[[], str], *names: str) -> Response:
    """A piece of a machine or head, the same for all readers of its language; boards ask for it together."""
    key = request.url.path, names, str(locale_of(request)), _known(request)
    try:
        return HTMLResponse(console_of(request).pieces.text(key, lambda: f"{begun_now()}{make()}"))
    except LookupError:
        return HTMLResponse(begun_now(), 404)


def _known(request: Request) -> bool:
    """Whether a person has signed in: an open board is for everybody."""
    return getattr(request.state, "person", None) is not None


def _line(request: Request, machine: str) -> dict[str, Any]:
    with console_of(request).database.reading() as session:
        known = head_overview.heads(session)
        places = [place for place in known if machine in ("", place[0])]
        shown = sorted(places[:HEADS_ON_A_PAGE])
        learnt, now = _learnt(session), clock.latest(session)
        others = {*places[HEADS_ON_A_PAGE:]}
        to_replace = replace_list.places_to_replace(session) if others else None
        overviews = heads_now(console_of(request), session, shown, now, to_replace)
        cards = [_card(request, overview, learnt) for overview in overviews]
        return {
            "cards": [_drawn(request, card, now) for card in cards],
            "crowd": crowd(cards),
            "machine": machine,
            "machines": dict(sorted(Counter(name for name, _ in known).items())),
            "more": len(others),
            "more_to_replace": len(others & {(of.machine, of.head) for of in to_replace or ()}),
            "elsewhere": [head_id(*place) for place in known if machine not in ("", place[0])],
            **_faults(request, session, now),
        }


def _faults(request: Request, session: Session, now: datetime) -> dict[str, Any]:
    counts = dict(session.execute(line_status.faults_query()).all())
    # What was photographed before that is old on the board by itself.
    since = now - console_of(request).settings.stale_after
    of_no_head = line_status.of_no_known_head(session, since) if counts else (0, None)
    return {
        "of_no_known_head": of_no_head[0],
        "of_no_known_head_since": of_no_head[1],
        "faults_id": FAULTS,
        "runs": unusable_runs.runs(session),
        "fault_counts": counts,
        "faults": faults.search(session, limit=_FAULTS_SHOWN),
    }


def _learnt(session: Session) -> frozenset[HeadPlace] | None:
    """The heads that the model in charge has learned from; None where there is none, or that is not known."""
    champion = model_registry.champion(session)
    return None if champion is None else learnt_heads(champion)


def _card(request: Request, overview: HeadOverview, learnt: frozenset[HeadPlace] | None) -> Card:
    heads = console_of(request).heads
    known = heads.get(overview.head) if heads is not None else None
    return Card(
        overview,
        layout=known.layout if known is not None else "circle",
        unlearnt=learnt is not None and (overview.machine, overview.head) not in learnt,
        leads=_known(request),
    )


def _drawn(request: Request, card: Card, now: datetime) -> Markup:
    console, overview = console_of(request), card.overview
    stale_at = None if overview.fresh_at is None else overview.fresh_at + console.settings.stale_after
    stale_in = None if stale_at is None else stale_at - now
    return console.cards.text(locale_of(request), card, now - (overview.last_at or now), stale_in)
