"""`/api/v1/replace`: which inserts to change now."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from db.console.access.guard import ApiViewer
from db.console.api.fields import Capture
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.line import restores
from db.queries import known_places, replace_list
from producer.contract.names import Name

router = APIRouter(route_class=ConditionalRoute)


class Pocket(BaseModel):
    """A pocket of a head."""

    machine: str
    head: str
    pocket: int


class ToReplace(BaseModel):
    """The pockets whose newest capture shows a damaged insert, by machine, head and pocket: always all of them.

    An empty list is no go: of other pockets it may not be known what is in them. `heads` has the answers.
    """

    items: list[Capture]
    not_seen_since_restore: list[Pocket] = Field(
        description="The pockets that were not photographed since a backup was restored: damage seen after that backup "
        "is lost, so they may have to be replaced too."
    )


@router.get("/replace", response_model=ToReplace)
def replace(request: Request, person: ApiViewer, machine: Name | None = None, head: Name | None = None) -> Any:
    """The inserts to change now; the photograph of the new one takes a pocket out."""
    with console_of(request).database.reading() as session:
        rows = replace_list.to_replace(session, machine, head)
        unseen = restores.not_seen_since(session, machine, head)
        if not rows and not unseen:
            known_places.refuse_unknown(session, machine, head)
    not_seen = [Pocket(machine=of, head=head, pocket=pocket) for of, head, pocket in unseen]
    return ToReplace(items=[Capture.of(row) for row in rows], not_seen_since_restore=not_seen)
