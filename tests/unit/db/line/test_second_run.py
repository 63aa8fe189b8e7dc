from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.line.second_run import RunPhotograph, SecondRun, Times, second_run

T0 = datetime(2026, 11, 22, 10, tzinfo=UTC)


def taken(
    pocket: int, minute: float, *, came: float | None = None, intact: bool = True, image: str = ""
) -> RunPhotograph:
    times = Times(T0 + timedelta(minutes=minute), T0 + timedelta(minutes=minute if came is None else came))
    return RunPhotograph(pocket, image or f"{pocket} at {minute}", times, intact)


HEAD = [taken(1, 0), taken(2, 1), taken(3, 2, intact=False)]


@pytest.mark.parametrize(
    ("photographs", "old"),
    [
        ([*HEAD, taken(1, 5)], {2, 3}),
        ([*HEAD, taken(1, 5), taken(2, 6)], {3}),
        ([*HEAD, taken(3, 20)], {1, 2}),
        ([*HEAD[:2], taken(1, 30), taken(3, 31)], {2}),
        ([*HEAD, taken(1, 30), taken(2, 31), taken(3, 32), taken(1, 60)], {2, 3}),
        ([*HEAD, taken(1, 30, image=HEAD[0].image)], {1, 2, 3}),
        ([*HEAD, *(taken(photo.pocket, 30, image=photo.image) for photo in HEAD)], {1, 2, 3}),
        ([taken(1, 0, came=90), taken(2, 1, came=90), taken(3, 2, came=90), taken(1, 60, came=90)], {2, 3}),
    ],
    ids=["one", "two", "late", "unfinished", "third-run", "old-file", "old-head", "backlog"],
)
def test_what_was_seen_in_an_earlier_run_only_is_old(photographs: list[RunPhotograph], old: set[int]) -> None:
    found = second_run(3, photographs)
    assert found is not None
    assert found.old == old
    assert (found.first.pocket, found.again.times > found.first.times) == (found.again.pocket, True)


@pytest.mark.parametrize(
    "photographs",
    [
        HEAD,
        [*HEAD, taken(3, 10)],
        [*HEAD, taken(1, 3)],
        [*HEAD[:2], taken(1, 12), taken(3, 20)],
        [*HEAD[:2], taken(3, 600)],
        [*HEAD, *(taken(pocket, 60) for pocket in (2, 3, 1))],
        [*HEAD, taken(1, 10, image=HEAD[0].image)],
        [],
    ],
    ids=["once", "spoilt", "at-once", "before-the-last", "late", "all-anew", "resent", "nothing"],
)
def test_what_was_photographed_anew_within_a_run_stands(photographs: list[RunPhotograph]) -> None:
    assert second_run(3, photographs) is None


def test_what_shows_a_second_run_is_named() -> None:
    assert second_run(3, [*HEAD, taken(1, 5)]) == SecondRun(HEAD[0], taken(1, 5), {2, 3})
