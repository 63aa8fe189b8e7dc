"""`/api/v1/models` and `/api/v1/promotions`: the trained models, which judged since when, and which is to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Self

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from db.console import model_changes
from db.console.access.guard import ApiModelChooser, ApiViewer
from db.console.api.fields import FreeText
from db.console.api.paging import After, Limit, Page, key_of, page, read
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.console.model_changes import LONGEST_REASON
from db.learning import model_registry as subject
from db.people.sessions import Person
from producer.contract.vocabulary import ModelAction, ModelRole

router = APIRouter(route_class=ConditionalRoute)


class Model(BaseModel):
    """A trained model."""

    model_id: str
    role: ModelRole | None = Field(description="What it does now: the champion judges the line.")
    created_at: datetime
    backbone: str
    classes: list[str]
    trained_on: int = Field(description="How many labelled photographs it learned from.")
    metrics: dict[str, Any] = Field(description="What its evaluation said.")
    snapshot_id: str | None = Field(description="The labelled set that it learned from.")
    digest: str = Field(description="The SHA-256 of its file.")

    @classmethod
    def of(cls, model: subject.Model, roles: dict[str, ModelRole]) -> Self:
        """As the registry gives it."""
        names = cls.model_fields.keys() - {"role"}
        return cls(role=roles.get(model.model_id), **{name: getattr(model, name) for name in names})


class Promotion(BaseModel):
    """The moment from which a model had a role; with `ended` nobody has it from then on."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    model_id: str | None
    role: ModelRole
    action: ModelAction
    at: datetime
    by: str
    reason: str


@router.get("/models", response_model=Page[Model])
def models(request: Request, person: ApiViewer, limit: Limit = 20, after: After = None) -> Any:
    """Models, the newest first."""
    begin = read(after, str)
    with console_of(request).database.reading() as session:
        rows = subject.recent(session, limit + 1, begin)
        roles = _roles(session)
    return page(
        request, rows, limit, lambda row: key_of(row.created_at, row.model_id), lambda row: Model.of(row, roles)
    )


@router.get("/models/{model_id}", response_model=Model)
def model(request: Request, model_id: Annotated[FreeText, Path()], person: ApiViewer) -> Any:
    """One model."""
    with console_of(request).database.reading() as session:
        row = subject.find(session, model_id)
        roles = _roles(session)
    if row is None:
        raise HTTPException(404, "there is no such model")
    return Model.of(row, roles)


@router.get("/promotions", response_model=Page[Promotion])
def promotions(
    request: Request, person: ApiViewer, role: ModelRole | None = None, limit: Limit = 100, after: After = None
) -> Any:
    """Who gave which model which role, when and why: the last first."""
    begin = read(after, _number)
    with console_of(request).database.reading() as session:
        rows = subject.promotions(session, limit + 1, role, begin)
    return page(request, rows, limit, lambda row: key_of(row.at, row.id), Promotion.model_validate)


class Why(BaseModel):
    """Why a person changes which model judges; it stays in the history."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_REASON, pattern=r"^[^\x00]+$")]


class WhyInCharge(Why):
    """Why a model is put in charge, and which one is, as far as who asks knows."""

    instead_of: FreeText | None = Field(
        default=None, description="The model that is in charge, - where none is: 409 where another one is by now."
    )


@router.post("/models/{model_id}/promote", status_code=201, response_model=Promotion)
def promote(request: Request, model_id: Annotated[FreeText, Path()], person: ApiModelChooser, why: WhyInCharge) -> Any:
    """Put a model in charge, whatever was measured; workers take it within seconds."""
    return _change(request, person, model_id, why, partial(model_changes.promote, instead_of=why.instead_of))


@router.post("/models/{model_id}/rollback", status_code=201, response_model=Promotion)
def rollback(request: Request, model_id: Annotated[FreeText, Path()], person: ApiModelChooser, why: Why) -> Any:
    """Put the champion before this one, which has to be in charge, in charge again."""
    return _change(request, person, model_id, why, model_changes.roll_back)


def _change(request: Request, person: Person, model_id: str, why: Why, change: Callable[..., subject.Promotion]) -> Any:
    by = {"by": person.name, **person.token_in_audit}
    try:
        with console_of(request).database.transaction() as session:
            promotion = change(session, model_id, reason=why.reason, at=datetime.now(UTC), **by)
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    except ValueError as error:
        raise HTTPException(409, str(error)) from error
    return Promotion.model_validate(promotion)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError("it is no number of a row")
    return int(text)


def _roles(session: Session) -> dict[str, ModelRole]:
    roles: dict[ModelRole, subject.Model | None] = {
        "champion": subject.champion(session),
        "shadow": subject.shadow(session),
    }
    return {model.model_id: role for role, model in roles.items() if model is not None}
