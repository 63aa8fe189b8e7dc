"""`/audit`: who did what that changed something."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.console.access.guard import Auditor
from db.console.context import console_of
from db.console.numbers import Row
from db.console.rendering import page
from db.people import audit as subject

router = APIRouter()

SHOWN: Final = 100


@router.get("/audit")
def audit(
    request: Request,
    person: Auditor,
    by: str = "",
    before: Row | None = None,
) -> Response:
    """The newest rows, or those before a number."""
    with console_of(request).database.reading() as session:
        rows = subject.recent(session, by=by or None, before=before, limit=SHOWN)
    return page(request, "audit.html", rows=rows, by=by, more=len(rows) == SHOWN)
