"""`/replace`: which inserts to change now, one sheet a head for the person with the screwdriver."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.heads_now import heads_now
from db.console.numbers import Typed
from db.console.rendering import page
from db.engine import clock
from db.line.insert_changes import InsertChange
from db.queries import head_overview, known_places, maintenance
from db.queries.head_overview import HeadOverview
from db.queries.maintenance import PocketRow
from producer.contract.places import HeadPlace

router = APIRouter()

AT_ONCE: Final = 20
"""So many heads are looked through for what nobody knows: those with an insert to change first, and of each kind those
that were photographed last. A plant may have hundreds."""

_OPEN: Final = ("unsure", "unusable", "fault", "missing", "pending", "old")
"""What a pocket may show of which nobody knows what is in it; the others are on the sheets, or intact."""


@router.get("/replace")
def replace(request: Request, person: Viewer, machine: Typed = "", head: Typed = "") -> Response:
    """The list, by machine and head, an empty filter is none; printed, each head begins a page."""
    with console_of(request).database.reading() as session:
        rows = maintenance.to_replace(session, machine or None, head or None)
        changes = maintenance.just_changed(session, machine or None, head or None)
        matching = [of for of in head_overview.heads(session) if machine in ("", of[0]) and head in ("", of[1])]
        listed = {(row.machine, row.head) for row in rows} | {(of.machine, of.head) for of in changes}
        places = sorted(matching, key=lambda of: of not in listed)[:AT_ONCE]
        heads = heads_now(console_of(request), session, places, clock.latest(session))
        unknown = None if rows or changes else known_places.unknown(session, machine or None, head or None)
    sheets: defaultdict[HeadPlace, tuple[list[PocketRow], list[InsertChange]]] = defaultdict(lambda: ([], []))
    for row in rows:
        sheets[row.machine, row.head][0].append(row)
    for change in changes:
        sheets[change.machine, change.head][1].append(change)
    left_open = {(of.machine, of.head): said for of in heads if (said := _left_open(of))}
    return page(
        request,
        "replace.html",
        status=404 if unknown else 200,
        sheets=dict(sorted(sheets.items())),
        left_open=dict(sorted(left_open.items())),
        looked_through=AT_ONCE if len(places) < len(matching) else None,
        asked={"machine": machine, "head": head},
        unknown=unknown,
    )


def _left_open(head: HeadOverview) -> dict[str, list[int]]:
    """The pockets of which nobody knows what is in them now, by the word for it; `old`: photographed too long ago."""
    words: dict[int, str] = dict.fromkeys(head.old, "old")
    if head.answer is not None:
        words |= dict.fromkeys(head.answer.review, "unsure")
    words |= dict.fromkeys(head.awaited, "pending")
    words |= {pocket: word for pocket, word in head.words.items() if word not in ("intact", "empty")}
    by_word = {word: sorted(pocket for pocket, of in words.items() if of == word) for word in _OPEN}
    return {word: pockets for word, pockets in by_word.items() if pockets}
