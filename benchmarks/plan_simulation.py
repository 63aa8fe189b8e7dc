"""A discrete-event simulation of a plant's queue: heads that arrive, workers that take what waits in batches.

The plan's formula is compared with it. Unlike the formula it has workers, each of which takes what waits, at most a
batch, and sends the verdicts of a batch at its end.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from producer.runtime.arrays import Float64Array


@dataclass(frozen=True)
class Simulated:
    """Seconds for each head: until its first capture is taken, and until its last verdict."""

    waits: Float64Array
    answers: Float64Array


def at_random(stations: int, every: float, heads: int, seed: int) -> Float64Array:
    """When `heads` heads come in from stations that send one every so many seconds on average, in seconds."""
    gaps = np.random.default_rng(seed).exponential(every / stations, heads)
    return np.cumsum(gaps)


def simulate(arrivals: Float64Array, inserts: int, workers: int, per_second: float, in_hand: int) -> Simulated:
    """What becomes of heads that come in at `arrivals`, each of `inserts` captures.

    Redis hands the captures out in their order, each to the worker that has waited for one the longest, and a worker
    waits for more while it has fewer than `in_hand`. A worker that is free judges all that it has in hand in one
    batch, `per_second` a second, and says their verdicts at its end.
    """
    took, done = np.full(len(arrivals), np.inf), np.zeros(len(arrivals))
    queue: deque[int] = deque()
    asking = deque(range(workers))
    having: list[list[int]] = [[] for _ in range(workers)]
    batch: list[list[int]] = [[] for _ in range(workers)]
    ends: list[tuple[float, int]] = []
    for now, head, worker in _moments(arrivals, ends):
        if head is not None:
            queue.extend([head] * inserts)
        if worker is not None:
            for capture in batch[worker]:
                done[capture] = now
            if len(batch[worker]) + len(having[worker]) == in_hand:
                asking.append(worker)
            batch[worker] = []
        while queue and asking:
            turn = asking.popleft()
            having[turn].append(queue.popleft())
            if len(having[turn]) + len(batch[turn]) < in_hand:
                asking.append(turn)
        for free in range(workers) if head is not None else (worker,):
            if free is not None and having[free] and not batch[free]:
                batch[free], having[free] = having[free], []
                for capture in batch[free]:
                    took[capture] = min(took[capture], now)
                heapq.heappush(ends, (now + len(batch[free]) / per_second, free))
    return Simulated(took - arrivals, done - arrivals)


def _moments(arrivals: Float64Array, ends: list[tuple[float, int]]) -> Iterator[tuple[float, int | None, int | None]]:
    """The moments at which something happens, in order: a head comes in, or a worker's batch ends."""
    for head, arrival in enumerate(arrivals):
        while ends and ends[0][0] <= arrival:
            end, worker = heapq.heappop(ends)
            yield end, None, worker
        yield float(arrival), head, None
    while ends:
        end, worker = heapq.heappop(ends)
        yield end, None, worker
