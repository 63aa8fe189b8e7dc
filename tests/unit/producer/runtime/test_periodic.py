from __future__ import annotations

import threading

import structlog

from producer.runtime.periodic import Periodic
from tests.support import wait_until


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


def test_a_turn_comes_at_once_where_others_say_that_there_is_work_and_the_end_needs_no_turn() -> None:
    class Woken(Counter):
        def __init__(self, woken: threading.Event):
            Periodic.__init__(self, 60, name="counter", failure="not counted", woken=woken)
            self.turns = 0

    woken = threading.Event()
    with Woken(woken) as counter:
        assert counter.turns == 0
        for turns in (1, 2):
            woken.set()
            wait_until(lambda turns=turns: counter.turns == turns)
            wait_until(lambda: not woken.is_set())
    assert not is_running()
    assert counter.turns == 2


def test_a_turn_may_be_the_last() -> None:
    class Once(Counter):
        def turn(self) -> None:
            self.turns += 1
            self.stop()

    with Once() as once:
        wait_until(lambda: not is_running())
    assert once.turns == 1
