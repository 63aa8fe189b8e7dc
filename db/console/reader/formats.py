"""Numbers and moments as the reader of a page writes them.

Moments are the plant's, in the time zone of this computer, as in the tables of the commands: all who speak of an
operation speak of the same hour, wherever they sit. Where the clock is put back over a time, its zone is said too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from babel import Locale
from babel.dates import LOCALTZ, format_date, format_datetime
from babel.numbers import NumberPattern, format_decimal, parse_pattern
from babel.units import format_unit

from db.engine.times import is_shown_twice

_UNITS: Final = ((86_400, "duration-day"), (3_600, "duration-hour"), (60, "duration-minute"))

Length = Literal["short", "medium", "long"]


def moment(locale: Locale, at: datetime, length: Length = "medium") -> str:
    """A moment to the second; `short`: to the minute."""
    return _moment(locale, at.replace(microsecond=0, second=0 if length == "short" else at.second), length)


@lru_cache(20_000)
def _moment(locale: Locale, at: datetime, length: Length) -> str:
    """A page says the same minute of hundreds of pockets, and the same page is asked for again."""
    forms = (length, "z") if is_shown_twice(at) else (length,)
    return " ".join(format_datetime(at, form, tzinfo=LOCALTZ, locale=locale) for form in forms)


def day(locale: Locale, at: datetime, length: Length = "medium") -> str:
    """The day of a moment."""
    return format_date(at.astimezone(LOCALTZ), length, locale=locale)


def age(locale: Locale, passed: timedelta) -> str:
    """How long ago something was, as one number with its unit."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in _UNITS:
        if seconds >= size:
            return _age(locale, seconds // size, unit)
    return _age(locale, seconds, "duration-second")


@lru_cache(2_000)
def _age(locale: Locale, number: int, unit: str) -> str:
    """A line says an age of fifty heads, most of them the same few minutes, each time that it is asked for."""
    return str(format_unit(number, unit, "short", locale=locale))


def percent(locale: Locale, share: float) -> str:
    """A share of one, to a tenth of a percent."""
    return str(_percents(locale).apply(share, locale))


@lru_cache
def _percents(locale: Locale) -> NumberPattern:
    return parse_pattern(locale.percent_formats[None].pattern.replace("#,##0", "#,##0.0"))


def number(locale: Locale, value: float, digits: int = 0) -> str:
    """A number with so many digits behind the point."""
    return format_decimal(value, "#,##0" + "." * bool(digits) + "0" * digits, locale=locale)
