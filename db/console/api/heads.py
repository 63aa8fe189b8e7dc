"""`/api/v1/heads`: whether each head may go on, as the board shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from db.console.access.guard import ApiViewer
from db.console.api.paging import After, Limit, Page, page
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.console.heads_now import heads_now
from db.engine import clock
from db.queries import head_overview, known_places
from db.queries.head_answer import HeadOverview, HeadState
from db.queries.pockets_now import PocketWord
from producer.contract.names import Name
from producer.contract.places import HeadPlace

router = APIRouter(route_class=ConditionalRoute)


class PocketNow(BaseModel):
    """A pocket, and what its insert shows now; `missing`: no photograph of it came, or nothing is known of it."""

    pocket: int
    shows: PocketWord


class Head(BaseModel):
    """A head, and its answer: that of its last check, with what earlier ones left in the pockets that it has not seen.

    Only `go` lets it work on, and only until `fresh_until`.
    """

    machine: str
    head: str
    state: HeadState = Field(
        description="`pending`: photographs are waited for or not judged yet. `new`: a person said that an insert was "
        "changed, and no photograph shows the new one. `stale`: photographed too long ago, or before a backup was "
        "restored, to say something about now; what is to be replaced or looked at stays that."
    )
    replace: list[int] = Field(description="The pockets whose inserts are damaged.")
    review: list[int] = Field(description="The pockets at which a person has to look.")
    new: list[int] = Field(description="The pockets with an insert that no photograph shows yet.")
    awaited: list[int] = Field(description="The pockets that a check under way waits for.")
    old: list[int] = Field(description="The pockets that were photographed too long ago.")
    size: int = Field(description="How many pockets it has.")
    operation: str | None = Field(description="The last one.")
    photographed_at: datetime | None = Field(description="The newest photograph's place in the order.")
    fresh_until: datetime | None = Field(description="When the first pocket's photograph will be too old.")
    pockets: list[PocketNow]

    @classmethod
    def of(cls, overview: HeadOverview, stale_after: timedelta) -> Self:
        """As the board has it."""
        answer, fresh_at = overview.answer, overview.fresh_at
        return cls(
            machine=overview.machine,
            head=overview.head,
            state=overview.state,
            replace=list(answer.replace) if answer else [],
            review=list(answer.review) if answer else [],
            new=list(answer.new) if answer else [],
            awaited=sorted(overview.awaited),
            old=sorted(overview.old),
            size=overview.size,
            operation=overview.operations[0].check.operation if overview.operations else None,
            photographed_at=overview.last_at,
            fresh_until=None if fresh_at is None else fresh_at + stale_after,
            pockets=[PocketNow(pocket=pocket, shows=word) for pocket, word in sorted(overview.words.items())],
        )


@router.get("/heads", response_model=Page[Head])
def heads(
    request: Request,
    person: ApiViewer,
    machine: Name | None = None,
    head: Name | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Any:
    """Every head with its answer now, by machine and head."""
    begin, console = _position(after), console_of(request)
    with console.database.reading() as session:
        places = [place for place in sorted(head_overview.heads(session)) if _is_asked(place, machine, head)]
        if not places:
            known_places.refuse_unknown(session, machine, head)
        following = [place for place in places if begin is None or place > begin][: limit + 1]
        rows: Sequence[HeadOverview] = heads_now(console, session, following, clock.latest(session))
    stale_after = console.settings.stale_after
    return page(request, rows, limit, lambda row: f"{row.machine}/{row.head}", lambda row: Head.of(row, stale_after))


def _is_asked(place: HeadPlace, machine: str | None, head: str | None) -> bool:
    return machine in (None, place[0]) and head in (None, place[1])


def _position(after: str | None) -> HeadPlace | None:
    """The head after which a page begins: no name has a stroke in it.

    Raises:
        HTTPException: it is no such key.
    """
    if after is None:
        return None
    machine, stroke, head = after.partition("/")
    if not stroke:
        raise HTTPException(400, f"after: {after!r} is none: take it from `next` of the page before")
    return machine, head
