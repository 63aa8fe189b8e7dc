"""Moments as people write them into forms."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import HTTPException

from db.console.reader.texts import Text
from db.engine.times import NoSuchHour, parse_moment


def moment_of(text: str) -> datetime | None:
    """The moment that a field of a form names; None where it is empty.

    Raises:
        HTTPException: the text is no moment.
    """
    if not text:
        return None
    try:
        return parse_moment(text, datetime.now(UTC))
    except NoSuchHour as error:
        raise HTTPException(
            400, Text("there was no %(given)s here: the clock was put forward over it", given=text)
        ) from error
    except ValueError as error:
        known = "2h, 3d, 2026-11-22, 2026-11-22T10:00, 06:00"
        raise HTTPException(400, Text("%(given)r is no moment: write %(known)s", given=text, known=known)) from error
