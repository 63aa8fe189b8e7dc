"""`/api/v1/checks`: what the last operations came to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from db.console.access.guard import ApiViewer
from db.console.api.fields import Since
from db.console.api.paging import After, Limit, Page, key_of, page, position
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.line import checks as subject
from db.queries import known_places
from producer.contract.names import Name
from producer.contract.vocabulary import State

router = APIRouter(route_class=ConditionalRoute)


class Check(BaseModel):
    """All captures of a head after one operation, and what they come to.

    It is not the answer of the head: a later photograph by itself is a check of its own. `heads` has that.
    """

    model_config = ConfigDict(from_attributes=True)

    check_id: UUID
    station: str
    machine: str
    head: str
    operation: str
    size: int = Field(description="How many pockets it has to have.")
    started_at: datetime
    state: State
    replace: list[int] = Field(description="The pockets whose inserts are damaged.")
    review: list[int] = Field(description="The pockets at which a person has to look.")
    judged: int = Field(description="How many pockets have an answer.")
    missing: list[int] = Field(description="The pockets of which no photograph came and none is waited for any more.")
    reason: str | None = Field(description="What its photographs say against each other: it is `review` then.")


@router.get("/checks", response_model=Page[Check])
def checks(
    request: Request,
    person: ApiViewer,
    machine: Name | None = None,
    head: Name | None = None,
    station: Name | None = None,
    state: State | None = None,
    since: Since = None,
    limit: Limit = 100,
    after: After = None,
) -> Any:
    """Checks, the one that began last first."""
    begin = position(after)
    with console_of(request).database.reading() as session:
        rows = subject.recent(
            session,
            machine=machine,
            head=head,
            station=station,
            state=state,
            since=since,
            limit=limit + 1,
            after=begin,
        )
        if not rows:
            known_places.refuse_unknown(session, machine, head, station=station)
    return page(request, rows, limit, lambda row: key_of(row.started_at, row.check_id), Check.model_validate)


@router.get("/checks/{check_id}", response_model=Check)
def check(request: Request, check_id: UUID, person: ApiViewer) -> Any:
    """One check."""
    with console_of(request).database.reading() as session:
        row = subject.find(session, check_id)
    if row is None:
        raise HTTPException(404, "there is no such check")
    return Check.model_validate(row)
