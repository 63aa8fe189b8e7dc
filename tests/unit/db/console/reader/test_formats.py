"""Numbers and moments, in the manner of each reader."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from db.console.reader import formats

AT = datetime(2026, 11, 3, 14, 5, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_the_plant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LOCALTZ", UTC)


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en_GB", "3 Nov 2026, 14:05:09"),
        ("en_US", "Nov 3, 2026, 2:05:09\N{NARROW NO-BREAK SPACE}PM"),
        ("de", "03.11.2026, 14:05:09"),
        ("es", "3 nov 2026, 14:05:09"),
    ],
)
def test_a_moment_is_written_as_the_reader_writes_it(tag: str, said: str) -> None:
    assert formats.moment(Locale.parse(tag), AT) == said


def test_a_moment_says_its_zone_where_the_clock_is_put_back_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LOCALTZ", ZoneInfo("Europe/Berlin"))
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        moments = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]
        said = [formats.moment(Locale.parse("de"), at, "short") for at in moments]
    time.tzset()
    assert said == ["25.10.26, 02:30 MESZ", "25.10.26, 02:30 MEZ", "25.10.26, 03:30"]


def test_a_day_is_the_plants(monkeypatch: pytest.MonkeyPatch) -> None:
    assert formats.day(Locale.parse("de"), AT.replace(hour=23, minute=59)) == "03.11.2026"


@pytest.mark.parametrize(
    ("tag", "share", "number"),
    [
        ("en", "12.3%", "1,234.50"),
        ("de", "12,3\N{NO-BREAK SPACE}%", "1.234,50"),
        ("es", "12,3\N{NO-BREAK SPACE}%", "1.234,50"),
        ("de_CH", "12.3%", "1'234.50"),
    ],
)
def test_numbers_have_the_readers_signs(tag: str, share: str, number: str) -> None:
    locale = Locale.parse(tag)
    assert (formats.percent(locale, 0.1234), formats.number(locale, 1234.5, 2)) == (share, number)
    assert formats.number(locale, 7) == "7"


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=-5), "0 sec"),
        (timedelta(seconds=59), "59 sec"),
        (timedelta(minutes=61), "1 hr"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(days=400), "400 days"),
    ],
)
def test_an_age_is_one_number(passed: timedelta, said: str) -> None:
    assert formats.age(Locale.parse("en"), passed) == said


def test_an_age_has_the_readers_units() -> None:
    assert formats.age(Locale.parse("de"), timedelta(minutes=59)) == "59 Min."
    assert formats.age(Locale.parse("es"), timedelta(hours=5)) == "5 h"
