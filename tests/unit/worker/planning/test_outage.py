from __future__ import annotations

import pytest

from worker.planning.outage import after_outage, copies


def test_the_last_capture_is_sent_again_ever_more_rarely() -> None:
    assert [copies(seconds) for seconds in (0, 5, 6, 26, 126, 426, 726)] == [0, 0, 1, 2, 3, 4, 5]


def test_what_waits_after_an_outage_is_what_came_and_a_few_copies_of_the_last() -> None:
    left = after_outage(60.0, per_station=2.0, utilisation=0.5, every=0.5)
    assert (left.waiting, left.queue) == (120, 120)
    left = after_outage(600.0, per_station=0.1, utilisation=0.5, every=300.0)
    assert (left.waiting, left.queue) == (60, 60 + 3)  # after 5, 25 and 125 s


@pytest.mark.parametrize("utilisation", [0.1, 0.5, 0.8])
def test_it_is_caught_up_with_by_what_the_workers_carry_beyond_their_load(utilisation: float) -> None:
    left = after_outage(600.0, 1.0, utilisation, 30.0)
    assert left.caught_up_after == pytest.approx(600 * utilisation / (1 - utilisation))


def test_workers_that_carry_no_more_than_their_load_never_catch_up() -> None:
    assert after_outage(60.0, 1.0, 1.0, 30.0).caught_up_after is None


def test_no_outage_leaves_nothing() -> None:
    left = after_outage(0.0, per_station=2.0, utilisation=0.5, every=30.0)
    assert (left.waiting, left.queue, left.caught_up_after) == (0, 0, 0.0)
