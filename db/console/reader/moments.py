"""Moments as people write them into forms."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from babel import Locale
from babel.dates import format_date, parse_date
from fastapi import Depends, HTTPException, Request

from db.console.reader.languages import locale_of
from db.console.reader.texts import Text
from db.engine.times import NoSuchHour, parse_moment

FIELDS: Final = ("since", "until")
"""What a form or an address calls its moments."""

_YEAR_FIRST: Final = r"\d{4}[./-]\d{1,2}[./-]\d{1,2}"
_YEAR_LAST: Final = r"\d{1,2}[./-] ?\d{1,2}[./-] ?(?:\d{4}|\d{2})"
_WRITTEN: Final = re.compile(rf"({_YEAR_FIRST}|{_YEAR_LAST})(?:(?: |, ?)(\d{{1,2}}:\d\d))?")
_PARTS: Final = re.compile(r"\d+|[./-]")


class WrittenByReader(Exception):
    """A form was sent with a date as its reader writes it; `to` is the same with it as all read it."""

    def __init__(self, to: str) -> None:
        super().__init__("the date in ISO 8601")
        self.to = to


def in_iso(request: Request) -> None:
    """Have the dates of an address in ISO 8601: sent to somebody who writes dates otherwise, it means the same.

    Raises:
        WrittenByReader: one is written as the reader does.
    """
    entries = request.query_params.multi_items()
    read = [(name, _in_iso(value, locale_of(request)) if name in FIELDS else value) for name, value in entries]
    if read != entries:
        raise WrittenByReader(f"{request.url.path}?{urlencode(read)}")


InIso: Final = Depends(in_iso)
"""What an address with moments needs."""


def _in_iso(text: str, locale: Locale) -> str:
    """A date that is written as in a locale, with an hour or without; any other text as it is."""
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        return text
    try:
        date = parse_date(written[1], locale=locale, format="short")
    except (ValueError, LookupError):  # it is none
        return text
    # Babel takes 22/11 for the 22nd of November also where the month comes first, and dots for dashes.
    if _parts(written[1]) != _parts(format_date(date, "short", locale=locale)):
        return text
    return f"{date.isoformat()}T{written[2].zfill(5)}" if written[2] else date.isoformat()


def _parts(date: str) -> list[int | str]:
    """Its numbers, of the year the last two digits, and what is between them."""
    return [int(part) % 100 if part.isdigit() else part for part in _PARTS.findall(date)]


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
