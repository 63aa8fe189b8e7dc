"""`/audit`: who did what that changed something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.console.access.guard import Auditor
from db.console.context import console_of
from db.console.numbers import Row
from db.console.rendering import page
from db.line import captures
from db.people import audit as subject

router = APIRouter()

SHOWN: Final = 100

MOMENTS: Final = frozenset(("from", "made_at"))
"""Details that are moments, as the database writes them."""


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
        reviewed = [UUID(row.subject) for row in rows if row.action == "reviewed"]
        places = {str(capture): place for capture, place in captures.places(session, reviewed).items()}
    details = {row.id: _read(row.detail) for row in rows}
    return page(request, "audit.html", rows=rows, places=places, details=details, by=by, more=len(rows) == SHOWN)


def _read(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The details with moments for the reader."""
    return {
        name.replace("_", " "): datetime.fromisoformat(value) if name in MOMENTS else value
        for name, value in detail.items()
    }
