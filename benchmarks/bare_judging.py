"""The bare work of judging, without queue and database: the reference for the line."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.networks import STORE, network
from producer.delivery.grouping import DEFAULT_GROUP
from worker.images.decoding import decode_photograph
from worker.runtime.process import usable_cores

if TYPE_CHECKING:
    from threading import Barrier

    from worker.networks.loaded_network import Network


@dataclass(frozen=True)
class Work:
    """What judging took."""

    per_second: float
    """Photographs of all processes together."""
    processor_seconds: float
    """Of one photograph."""


class Bare:
    """Processes that each decode photographs and run a network on them, a message's at a time, as a worker's do."""

    def __init__(self, pool: ProcessPoolExecutor, processes: int):
        self.processes = processes
        self._pool = pool

    def work(self, captures: int) -> Work:
        """Do at least that many, shared out evenly, in all processes at once."""
        each = -(-captures // self.processes)
        done = list(self._pool.map(_work, [each] * self.processes))
        longest = max(seconds for seconds, _ in done)
        return Work(self.processes * each / longest, sum(used for _, used in done) / (self.processes * each))


@contextmanager
def processes(
    backbone: str, photographs: Sequence[bytes], count: int | None = None, store: Path = STORE
) -> Iterator[Bare]:
    """As many processes as a worker has by default, or `count`, which have done one photograph each."""
    network(backbone, store)  # built here, not in each of them
    count = count or usable_cores()
    context = get_context("spawn")
    begun = (context.Barrier(count), backbone, store, tuple(photographs))
    with ProcessPoolExecutor(count, context, _begin, begun) as pool:
        bare = Bare(pool, count)
        bare.work(count)
        yield bare


def one_by_one_seconds(judging: Network, photographs: Sequence[bytes]) -> list[float]:
    """Seconds of decoding and one forward pass for each photograph, one after the other, in this process."""
    seconds = []
    for photograph in photographs:
        start = time.perf_counter()
        _judge(judging, [photograph])
        seconds.append(time.perf_counter() - start)
    return seconds


def _judge(judging: Network, photographs: Sequence[bytes]) -> None:
    decoded = [decode_photograph(photograph, judging.input_size).pixels for photograph in photographs]
    judging.features_of(np.stack(decoded))


_together: Barrier
_network: Network
_photographs: Sequence[bytes]


def _begin(together: Barrier, backbone: str, store: Path, photographs: Sequence[bytes]) -> None:
    global _together, _network, _photographs
    _together, _network, _photographs = together, network(backbone, store), photographs


def _work(count: int) -> tuple[float, float]:
    """Seconds, and seconds of processor time, of so many photographs; all processes begin at the same moment."""
    _together.wait(300)
    coming = islice(cycle(_photographs), count)
    start, used = time.perf_counter(), time.process_time()
    while message := list(islice(coming, DEFAULT_GROUP)):
        _judge(_network, message)
    return time.perf_counter() - start, time.process_time() - used
