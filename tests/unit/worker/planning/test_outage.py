from __future__ import annotations

from collections import deque

import pytest

from producer.delivery.resend import resend_after
from worker.planning.outage import after_outage, caught_up_after, sendings, workers_to_catch_up


def test_a_capture_is_sent_when_its_station_sends_it() -> None:
    assert sendings(5) == [0.0]
    assert sendings(700) == [0.0, 10.0, 30.0, 70.0, 150.0, 310.0, 610.0]
    assert sendings(700)[-1] == sum(resend_after(attempts) for attempts in range(1, 7))


def test_what_waits_after_an_outage_is_what_came_and_its_copies() -> None:
    left = after_outage(60.0, per_station=2.0, utilisation=0.5, repeat=0.0)
    assert left.waiting == 120
    assert left.queue == 2 * (60 + 50 + 30)  # sent at once, once more after 10 s, once more after 30 s


@pytest.mark.parametrize("utilisation", [0.1, 0.5, 0.8])
def test_without_repeats_it_is_the_backlog_over_what_is_free(utilisation: float) -> None:
    expected = 600 * utilisation / (1 - utilisation)
    assert caught_up_after(600, utilisation, repeat=0.0) == pytest.approx(expected, rel=0.01)


def simulated(seconds: int, work: float, repeat: float) -> float | None:
    """The same, second by second with whole slices: an outage, one capture a second, `work` seconds for each."""
    moments = sendings(50 * seconds)[1:]
    open_at: dict[int, bool] = {}
    queue: deque[tuple[int, int]] = deque()
    free = float(seconds)
    for now in range(50 * seconds):
        open_at[now] = True
        for moment in [0, *map(int, moments)]:
            if open_at.get(now - moment):
                queue.append((now, now - moment))
        if now < seconds:
            continue
        while queue and free < now + 1:
            sent, capture = queue.popleft()
            free += work if open_at[capture] else work * repeat
            open_at[capture] = False
            if sent >= now:
                return now - seconds
    return None


@pytest.mark.parametrize(("seconds", "work", "repeat"), [(200, 0.3, 0.3), (200, 0.5, 0.1), (400, 0.2, 0.5)])
def test_with_repeats_it_is_what_a_queue_of_events_does(seconds: int, work: float, repeat: float) -> None:
    told = simulated(seconds, work, repeat)
    assert told is not None
    assert caught_up_after(seconds, work, repeat) == pytest.approx(told, rel=0.15, abs=5)


def test_repeats_may_keep_the_workers_busy_for_ever() -> None:
    assert caught_up_after(3600, 0.5, repeat=0.3) is None
    assert simulated(120, 0.7, 0.4) is None
    assert caught_up_after(120, 0.7, repeat=0.4) is None
    assert caught_up_after(3600, 1.0, repeat=0.0) is None
    enough = workers_to_catch_up(3600, work=0.5, repeat=0.3)
    assert caught_up_after(3600, 0.5 / (1.05 * enough), repeat=0.3) is not None


def test_no_outage_leaves_nothing() -> None:
    left = after_outage(0.0, per_station=2.0, utilisation=0.5, repeat=0.3)
    assert (left.waiting, left.queue, left.caught_up_after) == (0, 0, 0.0)
