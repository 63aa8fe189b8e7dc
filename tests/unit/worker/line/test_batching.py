from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from worker.line.batching import Batcher


class Network:
    """Doubles its input; remembers the batches; can be held back, and refuses 113."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go = threading.Event()
        self.entered = threading.Event()

    def __call__(self, items: list[Any]) -> Any:
        batch = np.stack(items)
        self.entered.set()
        assert self.go.wait(20)
        self.batches.append(len(batch))
        if (batch == 113).any():
            raise ValueError("thirteen")
        return batch * 2


def item(value: float) -> Any:
    return np.array([value], np.float32)


def test_every_thread_gets_its_own_result_and_a_busy_network_full_batches() -> None:
    network = Network()
    batcher = Batcher(network, 8, name="network")
    with ThreadPoolExecutor(21) as threads:
        first = threads.submit(batcher.result_of, item(0))
        assert network.entered.wait(20)  # the network is busy with the first one alone
        others = [threads.submit(batcher.result_of, item(value)) for value in range(1, 21)]
        while batcher._waiting.qsize() < 20:  # all of them are waiting
            pass
        network.go.set()
        assert [float(done.result(20)[0]) for done in [first, *others]] == [2.0 * value for value in range(21)]
    assert network.batches == [1, 8, 8, 4]
    batcher.close()


def test_one_item_alone_waits_for_nobody() -> None:
    network = Network()
    network.go.set()
    batcher = Batcher(network, 32, name="network")
    assert batcher.result_of(item(4))[0] == 8
    assert network.batches == [1]
    batcher.close()


def test_a_bad_item_costs_only_itself() -> None:
    network = Network()
    batcher = Batcher(network, 8, name="network")
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(batcher.result_of, item(0))
        assert network.entered.wait(20)
        bad, *good = [threads.submit(batcher.result_of, item(value)) for value in (113, 1, 2)]
        while batcher._waiting.qsize() < 3:
            pass
        network.go.set()
        assert [float(done.result(20)[0]) for done in (first, *good)] == [0, 2, 4]
        with pytest.raises(ValueError, match="thirteen"):
            bad.result(20)
    batcher.close()


def test_closing_finishes_what_waits() -> None:
    network = Network()
    batcher = Batcher(network, 2, name="network")
    with ThreadPoolExecutor(6) as threads:
        waiting = [threads.submit(batcher.result_of, item(value)) for value in range(5)]
        assert network.entered.wait(20)
        while batcher._waiting.qsize() < 3:
            pass
        closing = threads.submit(batcher.close)
        network.go.set()
        assert sorted(float(done.result(20)[0]) for done in waiting) == [0, 2, 4, 6, 8]
        closing.result(20)
    assert not batcher._runner.is_alive()


def test_an_error_that_no_item_is_to_blame_for_is_raised_for_all_without_trying_each_alone() -> None:
    tried: list[int] = []
    entered, go = threading.Event(), threading.Event()

    def away(items: list[int]) -> list[int]:
        tried.append(len(items))
        entered.set()
        assert go.wait(20)
        raise ConnectionError("away")

    batcher: Batcher[int, int] = Batcher(away, 8, name="away", is_shared=lambda error: isinstance(error, OSError))
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(batcher.result_of, 0)]
        assert entered.wait(20)
        waiting += [threads.submit(batcher.result_of, number) for number in (1, 2, 3)]
        while batcher._waiting.qsize() < 3:
            pass
        go.set()
        for each in waiting:
            with pytest.raises(ConnectionError):
                each.result(20)
    assert tried == [1, 3]
    batcher.close()


def test_what_is_submitted_is_done_without_anybody_waiting() -> None:
    go = threading.Event()

    def compute(items: list[int]) -> list[int]:
        assert go.wait(20)
        if 0 in items:
            raise ValueError("zero")
        return [-item for item in items]

    batcher: Batcher[int, int] = Batcher(compute, 8, name="test")
    submitted = [batcher.submit(item) for item in (1, 0, 2)]
    assert not any(each.done() for each in submitted)
    go.set()
    batcher.close()
    assert (submitted[0].result(0), submitted[2].result(0)) == (-1, -2)
    assert isinstance(submitted[1].exception(0), ValueError)
