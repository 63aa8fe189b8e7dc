"""`/photographs/CAPTURE/SIZE`: a photograph by its capture's id, and by nothing else."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import select

from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.photographs.placeholder import Why, placeholder
from db.console.photographs.resizing import NotShown, Size, resized
from db.console.reader.languages import locale_of
from db.console.reader.texts import Text
from db.line.photographs import key_or_none
from db.schema.tables import Captures
from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.storage.store import ImageMissing, ImageRefused

router = APIRouter()


@router.get("/photographs/{capture_id}/{size}")
def photograph(request: Request, capture_id: UUID, size: Size, person: Viewer) -> Response:
    """A JPEG of that size, which a browser may keep for an hour; a drawing where there is none to show."""
    console = console_of(request)
    query = select(key_or_none(), Captures.image_sha256, Captures.region).where(Captures.capture_id == capture_id)
    with console.database.reading() as session:
        row = session.execute(query).first()
    if row is None:
        raise HTTPException(404, Text("there is no such capture"))
    key, digest, region = row
    if key is None:
        return _instead(request, "removed")
    headers = {"ETag": f'"{digest}-{size}"', "Cache-Control": "private, max-age=3600"}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    try:
        data = resized(console.images.get(key, MAX_IMAGE_BYTES), size, region)
    except ImageMissing:
        return _instead(request, "missing")
    except (NotShown, ImageRefused, ValueError):
        return _instead(request, "unreadable")
    except OSError:
        return _instead(request, "unavailable")
    return Response(data, media_type="image/jpeg", headers=headers)


def _instead(request: Request, why: Why) -> Response:
    return Response(
        placeholder(why, locale_of(request)), media_type="image/svg+xml", headers={"Cache-Control": "no-store"}
    )
