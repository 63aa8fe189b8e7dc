"""`/replace`: which inserts to change now, one sheet a head for the person with the screwdriver."""

from __future__ import annotations

from itertools import groupby

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.rendering import page
from db.queries import maintenance

router = APIRouter()


@router.get("/replace")
def replace(request: Request, person: Viewer, machine: str | None = None, head: str | None = None) -> Response:
    """The list, by machine and head; printed, each head begins a page."""
    with console_of(request).database.reading() as session:
        rows = maintenance.to_replace(session, machine or None, head or None)
    sheets = [(place, list(of)) for place, of in groupby(rows, lambda row: (row.machine, row.head))]
    return page(request, "replace.html", sheets=sheets)
