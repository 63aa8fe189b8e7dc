"""`/audit`: who did what that changed something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from db.console.access.guard import Auditor
from db.console.context import console_of
from db.console.numbers import Row
from db.console.reader.mistakes import no_action
from db.console.rendering import page
from db.line import captures
from db.people import audit as subject
from db.schema.column_words import AUDIT_ACTIONS

router = APIRouter()

SHOWN: Final = 100

MOMENTS: Final = frozenset(("from", "made_at"))
"""Details that are moments, as the database writes them."""

HIDDEN: Final = frozenset(("highest", "lost", "restore_id"))
"""What only `db.line.restores` needs of a restore."""


@router.get("/audit")
def audit(
    request: Request,
    person: Auditor,
    by: str = "",
    action: str = "",
    before: Row | None = None,
) -> Response:
    """The newest rows, of one person or of one kind where that is asked for, or those before a number."""
    by = by.strip()
    chosen = next((known for known in AUDIT_ACTIONS if known == action), None)
    if action and chosen is None:
        raise HTTPException(400, no_action(action, AUDIT_ACTIONS))
    with console_of(request).database.reading() as session:
        rows = subject.recent(session, by=by or None, action=chosen, before=before, limit=SHOWN)
        reviewed = [UUID(row.subject) for row in rows if row.action == "reviewed"]
        places = {str(capture): place for capture, place in captures.places(session, reviewed).items()}
    details = {row.id: _read(row.detail) for row in rows}
    filters = {name: value for name, value in (("by", by), ("action", action)) if value}
    older = f"/audit?{urlencode({**filters, 'before': rows[-1].id})}" if len(rows) == SHOWN else None
    return page(
        request,
        "audit.html",
        rows=rows,
        places=places,
        details=details,
        by=by,
        action=action,
        actions=AUDIT_ACTIONS,
        older=older,
    )


def _read(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The details with moments for the reader, without what only the program needs."""
    return {
        name.replace("_", " "): datetime.fromisoformat(value) if name in MOMENTS else value
        for name, value in detail.items()
        if name not in HIDDEN
    }
