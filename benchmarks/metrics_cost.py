"""What a worker's metrics cost a capture: processor time of all counters and timers on its way, in one thread."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.measure import Benchmark
from worker.monitoring.metrics import WorkerMetrics
from worker.monitoring.reports import ChildMetrics

CAPTURES = 5_000


def count_one(metrics: WorkerMetrics) -> None:
    """Count a capture as a child does that has a message of its own, the dearest case, and as its parent does."""
    counted = ChildMetrics()
    counted.group(1)
    for stage in ("fetch", "arrive", "decode", "forward", "commit", "notify"):
        with counted.stage(stage):
            pass
    counted.judged("intact", 0.2, "st-1")
    metrics.add(counted.take())


def microseconds(samples: int) -> Sequence[float]:
    """Microseconds a capture, `samples` times."""
    metrics = WorkerMetrics()
    count_one(metrics)
    return [_timed(metrics) for _ in range(samples)]


def _timed(metrics: WorkerMetrics) -> float:
    start = time.thread_time()
    for _ in range(CAPTURES):
        count_one(metrics)
    return 1e6 * (time.thread_time() - start) / CAPTURES


BENCHMARK = Benchmark(
    name="metrics_per_capture",
    sentence="processor time that counting and timing costs a capture in a worker",
    unit="µs",
    target=50,
    at_least=False,
    measure=microseconds,
)
