"""The answer with a photograph in it: found by its capture, made small, and not sent to who has it."""

from __future__ import annotations

from uuid import UUID

from fastapi import HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import select

from db.console.conditional import is_known
from db.console.context import console_of
from db.console.photographs.placeholder import Why
from db.console.photographs.resizing import NotShown, Size, resized
from db.console.reader.texts import Text
from db.line.photographs import key_or_none
from db.schema.tables import Captures
from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.storage.store import ImageMissing, ImageRefused


class NoPhotograph(Exception):
    """There is a capture, but no photograph of it to show."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


def photograph_of(request: Request, capture_id: UUID, size: Size) -> Response:
    """A JPEG of that size, which who asked may keep for an hour.

    Raises:
        NoPhotograph: there is none to show.
        HTTPException: there is no such capture.
    """
    console = console_of(request)
    query = select(key_or_none(), Captures.image_sha256, Captures.region).where(Captures.capture_id == capture_id)
    with console.database.reading() as session:
        row = session.execute(query).first()
    if row is None:
        raise HTTPException(404, Text("there is no such capture"))
    key, digest, region = row
    if key is None:
        raise NoPhotograph("removed")
    headers = {"ETag": f'"{digest}-{size}"', "Cache-Control": "private, max-age=3600"}
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    try:
        data = resized(console.images.get(key, MAX_IMAGE_BYTES), size, region)
    except ImageMissing:
        raise NoPhotograph("missing") from None
    except (NotShown, ImageRefused, ValueError) as error:
        raise NoPhotograph("unreadable") from error
    except OSError as error:
        raise NoPhotograph("unavailable") from error
    return Response(data, media_type="image/jpeg", headers=headers)
