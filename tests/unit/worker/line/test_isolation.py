from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.support import wait_until
from worker.line.isolation import Isolation


def test_many_are_under_way_together() -> None:
    isolation, all_in = Isolation(), threading.Barrier(5)

    def work() -> None:
        with isolation.together():
            all_in.wait(20)  # breaks unless all five are in at once

    with ThreadPoolExecutor(5) as threads:
        for done in [threads.submit(work) for _ in range(5)]:
            done.result(20)


def test_one_alone_waits_for_the_others_and_goes_before_later_ones() -> None:
    isolation, order = Isolation(), []
    first_in, first_may_go = threading.Event(), threading.Event()

    def first() -> None:
        with isolation.together():
            first_in.set()
            assert first_may_go.wait(20)
            order.append("first")

    def alone() -> None:
        with isolation.alone():
            assert isolation._together == 0
            order.append("alone")

    def later() -> None:
        with isolation.together():
            order.append("later")

    with ThreadPoolExecutor(3) as threads:
        running = [threads.submit(first)]
        assert first_in.wait(20)
        running.append(threads.submit(alone))
        wait_until(lambda: isolation._want_alone == 1)
        running.append(threads.submit(later))
        assert order == []
        first_may_go.set()
        for done in running:
            done.result(20)
    assert order == ["first", "alone", "later"]


def test_an_error_lets_the_next_one_in() -> None:
    isolation = Isolation()
    for way in (isolation.alone, isolation.together, isolation.alone):
        try:
            with way():
                raise ValueError
        except ValueError:
            pass
    with isolation.alone():
        pass
