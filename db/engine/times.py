"""Moments as people write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6}) ?([mhdw])")

FORMS: Final = "2h, 3d, 2026-11-22, 2026-11-22T10:00 (this computer's time) or 2026-11-22T10:00+01:00"


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a moment: so long before `now` (`30m`, `2h`, `3d`, `1w`), or a date or time in ISO 8601.

    A date means its first moment. Where no offset is written, it is that of this computer's time zone.

    Raises:
        ValueError: the text is none of these; the message names them.
    """
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        # astimezone() takes a naive moment as local time, with the offset of that day.
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no moment: write {FORMS}") from None


def local(moment: datetime) -> str:
    """A moment in this computer's time zone, to the second, for tables."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def utc(moment: datetime) -> str:
    """A moment in ISO 8601 and UTC, for programs."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
