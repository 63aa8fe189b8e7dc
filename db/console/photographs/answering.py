"""The answer with a photograph in it: found by its capture, made small, and not sent to who has it."""

from __future__ import annotations

import zlib
from uuid import UUID

from fastapi import HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import select

from db.console.conditional import is_known
from db.console.context import console_of
from db.console.photographs.placeholder import Why
from db.console.photographs.resizing import NotShown, Size, resized
from db.console.reader.texts import Text
from db.evidence.evidence_map import unpacked
from db.line import verdicts
from db.line.photographs import key_or_none
from db.schema.tables import Captures
from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.storage.captured_image import ImageOverwritten, captured_image
from producer.storage.folder import FolderStore
from producer.storage.opening import absent_folder
from producer.storage.store import ImageMissing, ImageRefused, ImageStore


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
    return _answer(request, capture_id, size, None)


def evidence_of(request: Request, capture_id: UUID) -> Response:
    """A large JPEG with the map of where the verdict in force came from over it.

    Raises:
        NoPhotograph: there is none to show.
        HTTPException: there is no such capture, or no map of its verdict.
    """
    with console_of(request).database.reading() as session:
        verdict = verdicts.current(session, capture_id)
    if verdict is None or verdict.evidence is None:
        raise HTTPException(404, Text("where this verdict came from was not kept"))
    return _answer(request, capture_id, "large", verdict.evidence)


def _answer(request: Request, capture_id: UUID, size: Size, evidence: bytes | None) -> Response:
    console = console_of(request)
    query = select(key_or_none(), Captures.image_sha256, Captures.region).where(Captures.capture_id == capture_id)
    with console.database.reading() as session:
        row = session.execute(query).first()
    if row is None:
        raise HTTPException(404, Text("there is no such capture"))
    key, digest, region = row
    if key is None:
        raise NoPhotograph("removed")
    drawn = f"{zlib.crc32(f'{region} {evidence!r}'.encode()):08x}"
    headers = {"ETag": f'"{digest}-{size}-{drawn}"', "Cache-Control": "private, max-age=3600"}
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    try:
        shares = None if evidence is None else unpacked(evidence)
        data = resized(captured_image(console.images, key, digest, MAX_IMAGE_BYTES), size, region, shares)
    except ImageMissing:
        raise NoPhotograph("unavailable" if _is_away(console.images) else "missing") from None
    except ImageOverwritten:
        raise NoPhotograph("overwritten") from None
    except (NotShown, ImageRefused, ValueError) as error:
        raise NoPhotograph("unreadable") from error
    except OSError as error:
        raise NoPhotograph("unavailable") from error
    return Response(data, media_type="image/jpeg", headers=headers)


def _is_away(images: ImageStore) -> bool:
    """Whether it is the store that is not there: a share that is not mounted leaves no folder, or an empty one."""
    if absent_folder(images) is not None:
        return True
    return isinstance(images, FolderStore) and next(images.root.iterdir(), None) is None
