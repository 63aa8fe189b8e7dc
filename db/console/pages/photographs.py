"""`/photographs/CAPTURE/SIZE`: a photograph by its capture's id, and by nothing else.

With `evidence` in the place of the size there is a map over it: where its verdict came from.
"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.console.access.guard import Viewer
from db.console.photographs.answering import NoPhotograph, evidence_of, photograph_of
from db.console.photographs.placeholder import STATUS, placeholder
from db.console.photographs.resizing import Size
from db.console.reader.languages import locale_of

router = APIRouter()


@router.get("/photographs/{capture_id}/evidence")
def evidence(request: Request, capture_id: UUID, person: Viewer) -> Response:
    """A large JPEG with the map of evidence over it; an error with a drawing where there is no photograph to show."""
    try:
        return evidence_of(request, capture_id)
    except NoPhotograph as error:
        return _placeholder(request, error)


@router.get("/photographs/{capture_id}/{size}")
def photograph(request: Request, capture_id: UUID, size: Size, person: Viewer) -> Response:
    """A JPEG of that size; an error with a drawing that says why where there is none to show."""
    try:
        return photograph_of(request, capture_id, size)
    except NoPhotograph as error:
        return _placeholder(request, error)


def _placeholder(request: Request, error: NoPhotograph) -> Response:
    drawing = placeholder(error.why, locale_of(request))
    headers = {"Cache-Control": "no-store"}
    return Response(drawing, STATUS[error.why], media_type="image/svg+xml", headers=headers)
