"""`/api/v1/lives`: how long the inserts that are in use last."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from db.console.access.guard import ApiViewer
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.learning import remaining_lives
from db.queries import known_places
from db.queries.shift_risk import shift_risks
from producer.contract.answers import LIVES_BEHIND
from producer.contract.names import Name

router = APIRouter(route_class=ConditionalRoute)


class Life(BaseModel):
    """How long an insert lasts."""

    model_config = ConfigDict(from_attributes=True)

    machine: str
    head: str
    pocket: int
    age: int = Field(description="The operations that it had done when it was last seen intact.")
    as_of: datetime = Field(description="When it was last seen intact; what is said counts from there.")
    operations: int = Field(description="So many more are done by half of such inserts before they are damaged.")
    low: int = Field(description="So many by 90 % of them.")
    high: int = Field(description="So many by 10 % of them.")
    lives: int = Field(description=LIVES_BEHIND)
    risk: float | None = Field(description="The chance that it is damaged within the shift; null without one.")
    cost_now: float | None = Field(description="What changing it before the shift costs, in planned changes.")
    cost_later: float | None = Field(description="What leaving it in for the shift costs, in planned changes.")


class Lives(BaseModel):
    """The answers, and what they are of."""

    items: list[Life]
    missing: int | None = Field(
        description="How many more lives must end before anything is said; null before the first fit."
    )


@router.get("/lives", response_model=Lives)
def lives(
    request: Request,
    person: ApiViewer,
    machine: Name | None = None,
    head: Name | None = None,
    shift: Annotated[
        int | None,
        Query(ge=1, le=100_000, description="Operations of a shift: only the inserts that may not last it."),
    ] = None,
) -> Any:
    """How long inserts last, by machine, head and pocket; with a shift those that may not last it."""
    console = console_of(request)
    with console.database.reading() as session:
        fit = remaining_lives.fit_in_force(session)
        remaining = remaining_lives.search(session, machine, head)
        if not remaining:
            known_places.refuse_unknown(session, machine, head)
    rows = shift_risks(remaining, shift, console.change_costs)
    return Lives(items=[Life.model_validate(row) for row in rows], missing=None if fit is None else fit.missing)
