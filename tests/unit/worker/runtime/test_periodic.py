from __future__ import annotations

import threading

import structlog

from tests.support import wait_until
from worker.runtime.periodic import Periodic


class Counter(Periodic):
    def __init__(self, every: float = 0.01, *, at_once: bool = False):
        super().__init__(every, name="counter", failure="not counted", at_once=at_once)
        self.turns = 0

    def turn(self) -> None:
        self.turns += 1
        if self.turns in (2, 3, 5):
            raise RuntimeError("away")


def is_running() -> bool:
    return any(thread.name == "counter" for thread in threading.enumerate())


def test_it_takes_turn_after_turn_also_after_failures_said_once_each_and_ends_with_the_block() -> None:
    with structlog.testing.capture_logs() as logs, Counter() as counter:
        wait_until(lambda: counter.turns > 6)
        assert is_running()
    assert not is_running()
    assert logs == 2 * [{"event": "not counted", "problem": "RuntimeError: away", "log_level": "error"}]


def test_the_first_turn_comes_at_once_only_where_that_is_asked_for() -> None:
    with Counter(every=60, at_once=True) as counter:
        wait_until(lambda: counter.turns == 1)
    with Counter(every=60) as counter:
        assert counter.turns == 0
    assert counter.turns == 0


def test_a_turn_may_be_the_last() -> None:
    class Once(Counter):
        def turn(self) -> None:
            self.turns += 1
            self.stop()

    with Once() as once:
        wait_until(lambda: not is_running())
    assert once.turns == 1
