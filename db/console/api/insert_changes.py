"""`/api/v1/insert-changes`: that a pocket has another insert now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from db.console.access.guard import ApiReviewer
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.console.numbers import Pocket
from db.people import audited_insert_changes as subject
from producer.contract.names import Name

router = APIRouter(route_class=ConditionalRoute)


class InsertChange(BaseModel):
    """That the insert of a pocket was changed."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    machine: str
    head: str
    pocket: int
    at: datetime = Field(description="Its place in the order: the first photograph from then on shows the new insert.")
    by: str


class NewInsertChange(BaseModel):
    """The pocket whose insert was changed."""

    model_config = ConfigDict(extra="forbid")

    machine: Name
    head: Name
    pocket: Pocket
    first: UUID | None = Field(
        None, description="The capture that shows the new insert first; without it none does yet."
    )


@router.post("/insert-changes", status_code=201, response_model=InsertChange)
def insert_change(request: Request, person: ApiReviewer, new: NewInsertChange) -> Any:
    """Say that an insert was changed. Saying so again before its next photograph changes nothing."""
    now = datetime.now(UTC)
    token: dict[str, Any] = {} if person.token is None else {"token": person.token}
    try:
        with console_of(request).database.transaction() as session:
            change = subject.record(
                session, new.machine, new.head, new.pocket, by=person.name, at=now, first=new.first, **token
            )
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    return InsertChange.model_validate(change)
