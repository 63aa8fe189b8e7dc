"""`/api/v1/insert-changes`: that a pocket has another insert now, and that it has not after all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from db.console.access.guard import ApiFitter, ApiViewer
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.console.numbers import Pocket, Row
from db.line.insert_changes import NewerPhotograph, of_pocket
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
    seen: UUID | None = Field(
        None, description="The newest capture that was known of. Where a newer one is there, the answer is 409."
    )


@router.post("/insert-changes", status_code=201, response_model=InsertChange)
def insert_change(request: Request, person: ApiFitter, new: NewInsertChange) -> Any:
    """Say that an insert was changed. Saying so again before its next photograph changes nothing."""
    now = datetime.now(UTC)
    try:
        with console_of(request).database.transaction() as session:
            change, _ = subject.record(
                session,
                new.machine,
                new.head,
                new.pocket,
                by=person.name,
                at=now,
                first=new.first,
                seen=new.seen,
                **person.token_in_audit,
            )
    except NewerPhotograph as error:
        raise HTTPException(409, str(error)) from error
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    return InsertChange.model_validate(change)


@router.get("/insert-changes", response_model=list[InsertChange])
def insert_changes_of(request: Request, person: ApiViewer, machine: Name, head: Name, pocket: Pocket) -> Any:
    """What people said about the inserts of one pocket, the newest first."""
    with console_of(request).database.reading() as session:
        changes = of_pocket(session, machine, head, pocket)
    return [InsertChange.model_validate(change) for change in changes]


@router.delete("/insert-changes/{number}", response_model=InsertChange)
def take_back(request: Request, person: ApiFitter, number: Row) -> Any:
    """Take back what was said by mistake; the answer is what it was."""
    now = datetime.now(UTC)
    try:
        with console_of(request).database.transaction() as session:
            gone = subject.withdraw(session, number, by=person.name, at=now, **person.token_in_audit)
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    return InsertChange.model_validate(gone)
