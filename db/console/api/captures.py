"""`/api/v1/captures/CAPTURE`: one capture, and its photograph."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from db.console.access.guard import ApiViewer
from db.console.api.fields import Capture
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.console.photographs.answering import NoPhotograph, photograph_of
from db.console.photographs.placeholder import STATUS, WORDS
from db.console.photographs.resizing import Size
from db.queries import pocket_history

router = APIRouter(route_class=ConditionalRoute)


@router.get("/captures/{capture_id}", response_model=Capture)
def capture(request: Request, capture_id: UUID, person: ApiViewer) -> Any:
    """One capture with its verdict, its newest review's label, and why it could not be judged."""
    with console_of(request).database.reading() as session:
        row = pocket_history.of_capture(session, capture_id)
    if row is None:
        raise HTTPException(404, "there is no such capture")
    return Capture.of(row)


@router.get(
    "/captures/{capture_id}/photograph",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}},
)
def photograph(
    request: Request,
    capture_id: UUID,
    person: ApiViewer,
    size: Annotated[Size, Query(description="Its longer side: 160, 640 or 1600 pixels at most.")] = "large",
) -> Response:
    """Its photograph as a JPEG; the small one shows the insert's region alone, where one is known."""
    try:
        return photograph_of(request, capture_id, size)
    except NoPhotograph as error:
        raise HTTPException(STATUS[error.why], WORDS[error.why]) from error
