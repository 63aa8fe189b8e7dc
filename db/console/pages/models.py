"""`/models`: which model judges, since when and why; what was measured of each; and changing which one judges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, HTTPException, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from db.console import model_changes
from db.console.access.guard import ModelChooser, Viewer
from db.console.context import console_of
from db.console.drawing import chart
from db.console.model_changes import LONGEST_REASON, NOBODY
from db.console.reader.texts import Text
from db.console.rendering import page
from db.learning import evaluation_report, evaluations, model_registry
from db.learning.evaluation_report import EvaluationReport, ModelFigures
from db.line import shadow_verdicts
from db.people.sessions import Person
from db.queries import pocket_history
from producer.contract.vocabulary import MODEL_ROLES

router = APIRouter()

SHOWN: Final = 20

WRONG_SHOWN: Final = 24
"""How many of the photographs that were misclassified most often."""

_LOOKED_AT: Final = 100
"""How many are read, because some may be gone, together with their checks."""

_MOST_MODELS: Final = 1000

COMPARED: Final = 5_000
"""How many of a shadow's newest verdicts are compared with the line's, so that a page costs the same after years."""

DIFFERENT_SHOWN: Final = 24
"""How many of the photographs about which they differ."""

Name = Annotated[str, Path(max_length=80, pattern=r"^[^\x00]+$")]
Reason = Annotated[str, Form(max_length=LONGEST_REASON, pattern=r"^[^\x00]*$")]
InsteadOf = Annotated[str | None, Form(max_length=80, pattern=r"^[^\x00]*$")]
"""The model that had the role on the page; `NOBODY` where none had."""
Sure = Annotated[Literal["yes"], Form()]
"""The box that confirms the change."""


@router.get("/models")
def models(request: Request, person: Viewer, limit: Annotated[int, Query(ge=1, le=_MOST_MODELS)] = SHOWN) -> Response:
    """The model that judges now, the value of more labels, and all models, the newest first."""
    with console_of(request).database.reading() as session:
        rows = model_registry.recent(session, limit)
        scores = evaluations.scores(session, [row.model_id for row in rows])
        champion, shadow = model_registry.champion(session), model_registry.shadow(session)
        promotions = model_registry.promotions(session, limit)
        since = {role: model_registry.promotions(session, 1, role) for role in MODEL_ROLES}
        can_roll_back = len(model_registry.succession(session)) > 1
        agreement = None if shadow is None else shadow_verdicts.compare(session, shadow.model_id, newest=COMPARED)
        newest = evaluations.newest_model(session)
        measured = None if newest is None else _measured(evaluations.of_model(session, newest))
    return page(
        request,
        "models.html",
        rows=rows,
        scores=scores,
        champion=champion,
        can_roll_back=can_roll_back,
        shadow=shadow,
        agreement=agreement,
        since=since,
        given=promotions,
        newest=newest,
        **_learning(measured),
        limit=limit,
        longest=LONGEST_REASON,
    )


@router.get("/models/{model_id}")
def model(request: Request, model_id: Name, person: Viewer) -> Response:
    """One model: what was measured of it, beside the champion of that time."""
    with console_of(request).database.reading() as session:
        row = model_registry.find(session, model_id)
        evaluated = evaluations.of_model(session, model_id)
        champion, shadow = model_registry.champion(session), model_registry.shadow(session)
        can_roll_back = len(model_registry.succession(session)) > 1
        promotions = model_registry.of_model(session, model_id)
        measured = _measured(evaluated)
        kind = None if measured is None else measured.kind
        pair = None if measured is None or kind is None else measured.evaluations[kind]
        wrong = [] if pair is None else pair.candidate.wrong[:_LOOKED_AT]
        there = pocket_history.known(session, [answer.capture_id for answer in wrong])
        agreement = shadow_verdicts.compare(session, model_id, newest=COMPARED)
        different = shadow_verdicts.differences(session, model_id, COMPARED, DIFFERENT_SHOWN)
    if row is None:
        raise HTTPException(404, Text("there is no such model"))
    sides = [] if pair is None else [("candidate", pair.candidate), *_of(pair.champion)]
    return page(
        request,
        "model.html",
        model=row,
        evaluated=evaluated,
        measured=measured,
        kind=kind,
        sides=sides,
        whiskers=chart.whiskers,
        calibration=chart.calibration(sides),
        coverage=chart.coverage(sides),
        **_learning(measured),
        wrong=[answer for answer in wrong if answer.capture_id in there][:WRONG_SHOWN],
        agreement=agreement,
        different=different,
        champion=champion,
        nobody=NOBODY,
        can_roll_back=can_roll_back,
        shadow=shadow,
        given=promotions,
        longest=LONGEST_REASON,
    )


@router.post("/models/{model_id}/promote")
def promote(
    request: Request, person: ModelChooser, model_id: Name, reason: Reason, sure: Sure, instead_of: InsteadOf = None
) -> Response:
    """Put a model in charge."""
    return _change(request, person, model_id, reason, partial(model_changes.promote, instead_of=instead_of))


@router.post("/models/{model_id}/rollback")
def roll_back(request: Request, person: ModelChooser, model_id: Name, reason: Reason, sure: Sure) -> Response:
    """Put the champion before this one in charge again."""
    return _change(request, person, model_id, reason, model_changes.roll_back)


@router.post("/models/{model_id}/shadow")
def start_shadow(
    request: Request, person: ModelChooser, model_id: Name, reason: Reason, sure: Sure, instead_of: InsteadOf = None
) -> Response:
    """Have a model judge alongside the champion."""
    return _change(request, person, model_id, reason, partial(model_changes.start_shadow, instead_of=instead_of))


@router.post("/models/{model_id}/end-shadow")
def end_shadow(request: Request, person: ModelChooser, model_id: Name, reason: Reason, sure: Sure) -> Response:
    """End the shadow."""
    return _change(request, person, model_id, reason, model_changes.end_shadow)


def _change(request: Request, person: Person, model_id: str, reason: str, change: Callable[..., Any]) -> Response:
    try:
        with console_of(request).database.transaction() as session:
            change(session, model_id, by=person.name, reason=reason, at=datetime.now(UTC))
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    except ValueError as error:
        raise HTTPException(409, str(error)) from error
    return RedirectResponse("/models", 303)


def _measured(evaluated: evaluations.Evaluated | None) -> EvaluationReport | None:
    """What a report says; None where there is none, or one that another version wrote."""
    if evaluated is None:
        return None
    try:
        return evaluation_report.read(evaluated.report)
    except ValueError:
        return None


def _learning(measured: EvaluationReport | None) -> dict[str, Any]:
    """The learning curve, and the value of more labels by it."""
    points = [] if measured is None else measured.learning_curve
    return {
        "points": points,
        "curve": chart.learning(points) if points else None,
        "worth": evaluation_report.worth_of(points),
    }


def _of(champion: ModelFigures | None) -> list[tuple[str, ModelFigures]]:
    return [] if champion is None else [("champion", champion)]
