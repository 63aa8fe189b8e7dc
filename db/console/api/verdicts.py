"""`/api/v1/verdicts`: verdicts by any of their filters."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from db.console.access.guard import ApiViewer
from db.console.api.fields import Since, Until, Verdict
from db.console.api.paging import After, Limit, Page, key_of, page, position
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.console.numbers import Pocket
from db.line import verdicts as subject
from db.queries import known_places
from producer.contract.names import Name
from producer.contract.vocabulary import Outcome

router = APIRouter(route_class=ConditionalRoute)


@router.get("/verdicts", response_model=Page[Verdict])
def verdicts(
    request: Request,
    person: ApiViewer,
    machine: Name | None = None,
    head: Name | None = None,
    pocket: Pocket | None = None,
    operation: Name | None = None,
    station: Name | None = None,
    outcome: Outcome | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    after: After = None,
) -> Any:
    """Judged captures, the newest first; without filters all of the line's."""
    begin = position(after)
    with console_of(request).database.reading() as session:
        rows = subject.search(
            session,
            machine=machine,
            head=head,
            pocket=pocket,
            operation=operation,
            station=station,
            outcome=outcome,
            since=since,
            until=until,
            limit=limit + 1,
            after=begin,
        )
        if not rows:
            known_places.refuse_unknown(session, machine, head, pocket, station=station)
    return page(request, rows, limit, lambda row: key_of(row.ordered_at, row.capture_id), Verdict.of)
