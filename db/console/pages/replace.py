"""`/replace`: which inserts to change now, one sheet a head for the person with the screwdriver."""

from __future__ import annotations

from collections import defaultdict

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.left_open import HEADS_LOOKED_THROUGH, left_open
from db.console.numbers import Typed
from db.console.rendering import page
from db.line import restores
from db.line.insert_changes import InsertChange
from db.queries import head_overview, known_places, replace_list
from db.queries.pocket_history import PocketRow
from producer.contract.places import HeadPlace, PocketPlace

router = APIRouter()


@router.get("/replace")
def replace(request: Request, person: Viewer, machine: Typed = "", head: Typed = "") -> Response:
    """The list, by machine and head, an empty filter is none; printed, each head begins a page."""
    with console_of(request).database.reading() as session:
        rows = replace_list.to_replace(session, machine or None, head or None)
        changes = replace_list.just_changed(session, machine or None, head or None)
        matching = [of for of in head_overview.heads(session) if machine in ("", of[0]) and head in ("", of[1])]
        listed = {(row.machine, row.head) for row in rows} | {(of.machine, of.head) for of in changes}
        lost = {(of.machine, of.head) for of in restores.lost_since(session, machine or None, head or None)}
        places = [PocketPlace(row.machine, row.head, row.pocket) for row in rows]
        open_now = left_open(console_of(request), session, matching, listed, to_replace=places)
        unknown = None if rows or changes else known_places.unknown(session, machine or None, head or None)
    sheets: defaultdict[HeadPlace, tuple[list[PocketRow], list[InsertChange]]] = defaultdict(lambda: ([], []))
    for row in rows:
        sheets[row.machine, row.head][0].append(row)
    for change in changes:
        sheets[change.machine, change.head][1].append(change)
    return page(
        request,
        "replace.html",
        status=404 if unknown else 200,
        sheets=dict(sorted(sheets.items())),
        left_open=open_now,
        looked_through=HEADS_LOOKED_THROUGH if len(matching) > HEADS_LOOKED_THROUGH else None,
        lost=sorted(lost),
        asked={"machine": machine, "head": head},
        unknown=unknown,
    )
