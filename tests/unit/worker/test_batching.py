from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from worker.batching import MicroBatcher


class Network:
    """Doubles its input; remembers the batches; can be held back, and refuses 113."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go = threading.Event()
        self.entered = threading.Event()

    def __call__(self, batch: Any) -> Any:
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
    batcher = MicroBatcher(network, max_batch=8)
    with ThreadPoolExecutor(21) as threads:
        first = threads.submit(batcher, item(0))
        assert network.entered.wait(20)  # the network is busy with the first one alone
        others = [threads.submit(batcher, item(value)) for value in range(1, 21)]
        while batcher._waiting.qsize() < 20:  # all of them are waiting
            pass
        network.go.set()
        assert [float(done.result(20)[0]) for done in [first, *others]] == [2.0 * value for value in range(21)]
    assert network.batches == [1, 8, 8, 4]
    batcher.close()


def test_one_item_alone_waits_for_nobody() -> None:
    network = Network()
    network.go.set()
    batcher = MicroBatcher(network, max_batch=32)
    assert batcher(item(4))[0] == 8
    assert network.batches == [1]
    batcher.close()


def test_a_bad_item_costs_only_itself() -> None:
    network = Network()
    batcher = MicroBatcher(network, max_batch=8)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(batcher, item(0))
        assert network.entered.wait(20)
        bad, *good = [threads.submit(batcher, item(value)) for value in (113, 1, 2)]
        while batcher._waiting.qsize() < 3:
            pass
        network.go.set()
        assert [float(done.result(20)[0]) for done in (first, *good)] == [0, 2, 4]
        with pytest.raises(ValueError, match="thirteen"):
            bad.result(20)
    batcher.close()


def test_closing_finishes_what_waits() -> None:
    network = Network()
    batcher = MicroBatcher(network, max_batch=2)
    with ThreadPoolExecutor(6) as threads:
        waiting = [threads.submit(batcher, item(value)) for value in range(5)]
        assert network.entered.wait(20)
        while batcher._waiting.qsize() < 3:
            pass
        closing = threads.submit(batcher.close)
        network.go.set()
        assert sorted(float(done.result(20)[0]) for done in waiting) == [0, 2, 4, 6, 8]
        closing.result(20)
    assert not batcher._runner.is_alive()


def test_it_says_since_when_the_network_has_been_running() -> None:
    seen: list[float | None] = []

    def network(batch: np.ndarray) -> np.ndarray:
        seen.append(batcher.running_since)
        if batch[0, 0] < 0:
            raise ValueError("bad")
        return batch

    batcher = MicroBatcher(network, max_batch=4)
    assert batcher.running_since is None
    before = time.monotonic()
    batcher(np.ones(1, np.float32))
    with pytest.raises(ValueError, match="bad"):
        batcher(-np.ones(1, np.float32))
    batcher.close()
    assert [since is not None and before <= since <= time.monotonic() for since in seen] == [True, True]
    assert batcher.running_since is None
