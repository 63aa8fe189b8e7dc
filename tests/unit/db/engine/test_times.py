import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.engine.times import NoSuchHour, by_the_clock, is_shown_twice, local, parse_moment, utc

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
        ("1 w", timedelta(weeks=1)),
        (" 0m ", timedelta(0)),
    ],
)
def test_a_span_means_so_long_ago(text: str, ago: timedelta) -> None:
    assert parse_moment(text, NOW) == NOW - ago


def test_a_time_with_an_offset_is_taken_as_written() -> None:
    assert parse_moment("2026-11-22T10:00+01:00", NOW) == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    assert parse_moment("2026-11-22T10:00Z", NOW) == datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-22T10:00", "2026-07-01", "2026-07-01 06:30:15"])
def test_a_time_without_an_offset_is_this_computers(text: str) -> None:
    moment = parse_moment(text, NOW)
    assert moment.tzinfo is UTC
    assert moment == datetime.fromisoformat(text).astimezone()


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2", "h", "-2h", "2x", "22.11.2026", "2026-13-01", "999999w", "²h", "24:00", "6:0"]
)
def test_anything_else_is_refused_with_the_forms_that_work(text: str) -> None:
    with pytest.raises(ValueError, match=r"no moment: write 2h, 3d, 2026-11-22"):
        parse_moment(text, NOW)


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "now", "moment"),
    [
        ("06:00", "2026-11-22T15:00Z", "2026-11-22T05:00Z"),
        ("6:00", "2026-11-22T05:00Z", "2026-11-22T05:00Z"),
        ("22:00", "2026-11-22T15:00Z", "2026-11-21T21:00Z"),
        ("02:30", "2026-10-25T00:45Z", "2026-10-25T00:30Z"),  # the clock is still to be put back
        ("02:30", "2026-10-25T01:15Z", "2026-10-25T00:30Z"),
        ("02:30", "2026-10-25T04:00Z", "2026-10-25T01:30Z"),
        ("2026-10-25T02:30", "2026-11-22T15:00Z", "2026-10-25T00:30Z"),
    ],
)
def test_an_hour_alone_is_the_last_one(in_berlin: None, text: str, now: str, moment: str) -> None:
    assert parse_moment(text, datetime.fromisoformat(now)) == datetime.fromisoformat(moment)


def test_an_hour_over_which_the_clock_is_put_forward_is_none(in_berlin: None) -> None:
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC)
    for text in ("02:30", "2026-03-29T02:30", "2026-03-29 02:30"):
        with pytest.raises(NoSuchHour, match="there was no 2026-03-29 02:30 here"):
            parse_moment(text, noon)
    assert parse_moment("2026-03-29T03:00", noon) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_time_that_the_clock_shows_twice_says_its_zone(in_berlin: None) -> None:
    moments = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]
    assert list(map(local, moments)) == ["2026-10-25 02:30:00 CEST", "2026-10-25 02:30:00 CET", "2026-10-25 03:30:00"]
    assert [is_shown_twice(moment) for moment in moments] == [True, True, False]


@pytest.mark.parametrize(
    ("ended", "begun"),
    [
        ("2026-10-25T05:00Z", "2026-10-24T20:00Z"),  # 22:00 to 06:00: nine hours
        ("2026-03-29T04:00Z", "2026-03-28T21:00Z"),  # seven
        ("2026-11-22T05:00Z", "2026-11-21T21:00Z"),
        ("2026-10-25T09:30Z", "2026-10-25T00:30Z"),  # 02:30: the first of the two
    ],
)
def test_a_shift_has_its_hours_by_the_clock(in_berlin: None, ended: str, begun: str) -> None:
    assert by_the_clock(datetime.fromisoformat(ended), timedelta(hours=8)) == datetime.fromisoformat(begun)


def test_programs_get_utc() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert utc(datetime(2026, 11, 22, 1, 0, 0, 1500, tzinfo=east)) == "2026-11-21T19:30:00.001Z"


@given(st.timedeltas(min_value=timedelta(days=-20_000), max_value=timedelta(days=20_000)))
def test_what_a_program_gets_can_be_read_back(distance: timedelta) -> None:
    moment = NOW + distance
    assert abs(parse_moment(utc(moment), NOW) - moment) < timedelta(milliseconds=1)


def test_people_get_local_time_to_the_second() -> None:
    assert local(NOW) == NOW.astimezone().strftime("%Y-%m-%d %H:%M:%S")
