"""`/api/v1/history`: what one pocket has been through."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from db.console.access.guard import ApiViewer
from db.console.api.fields import Capture
from db.console.api.paging import After, Limit, Page, key_of, page, position
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.console.numbers import Pocket
from db.queries import pocket_history
from producer.contract.names import Name

router = APIRouter(route_class=ConditionalRoute)


@router.get("/history", response_model=Page[Capture])
def history(
    request: Request,
    person: ApiViewer,
    machine: Name,
    head: Name,
    pocket: Pocket,
    limit: Limit = 100,
    after: After = None,
) -> Any:
    """Every capture of the pocket, the newest first, judged or not; none where nothing is known of it."""
    begin = position(after)
    with console_of(request).database.reading() as session:
        rows = pocket_history.of_pocket(session, machine, head, pocket, limit=limit + 1, after=begin)
    return page(request, rows, limit, lambda row: key_of(row.ordered_at, row.capture_id), Capture.of)
