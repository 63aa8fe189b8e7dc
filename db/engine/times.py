"""Moments as people write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6}) ?([mhdw])")
_HOUR = re.compile(r"(\d{1,2}):(\d\d)")

FORMS: Final = (
    "2h, 3d, 2026-11-22, 06:00 (the last one), 2026-11-22T10:00 (this computer's time) or 2026-11-22T10:00+01:00"
)


class NoSuchHour(ValueError):
    """A time that this computer's clock never shows, as it is put forward over it."""

    def __init__(self, text: str) -> None:
        super().__init__(f"there was no {text} here: the clock was put forward over it")


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a moment: so long before `now` (`30m`, `2h`, `3d`, `1w`), the last `06:00`, or a date or time in ISO 8601.

    A date means its first moment. Where no offset is written, it is that of this computer's time zone; of a time that
    its clock shows twice the first is meant.

    Raises:
        NoSuchHour: the clock never shows this time.
        ValueError: the text is none of these; the message names them.
    """
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if hour := _HOUR.fullmatch(text):
            return _last(time(int(hour[1]), int(hour[2])), now)
        moment = datetime.fromisoformat(text)
        # astimezone() takes a naive moment as local time, with the offset of that day.
        return moment.astimezone(UTC) if moment.tzinfo or moment.time() == time() else _moments(moment)[0]
    except NoSuchHour:
        raise
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no moment: write {FORMS}") from None


def _last(hour: time, now: datetime) -> datetime:
    today = now.astimezone().date()
    days = (datetime.combine(today - timedelta(days=ago), hour) for ago in range(2))
    return next(moment for day in days for moment in reversed(_moments(day)) if moment <= now)


def _moments(shown: datetime) -> list[datetime]:
    """When this computer's clock shows a time: twice where it is put back over it, the first one first."""
    moments = [shown.replace(fold=fold).astimezone(UTC) for fold in range(2)]
    if moments[0].astimezone().replace(tzinfo=None) != shown:
        raise NoSuchHour(f"{shown:%Y-%m-%d %H:%M}")
    return moments


def by_the_clock(now: datetime, span: timedelta) -> datetime:
    """When this computer's clock showed a time so much earlier: a night's shift may have an hour more or less."""
    return (now.astimezone().replace(tzinfo=None, fold=0) - span).astimezone(UTC)


def is_shown_twice(moment: datetime) -> bool:
    """Whether this computer's clock shows the time of a moment at another one too: it is put back over it."""
    first, second = _moments(moment.astimezone().replace(tzinfo=None, fold=0))
    return first != second


def local(moment: datetime) -> str:
    """A moment in this computer's time zone, to the second, for tables; with the zone where that is in doubt."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S{' %Z' if is_shown_twice(moment) else ''}}"


def utc(moment: datetime) -> str:
    """A moment in ISO 8601 and UTC, for programs."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
