"""What a worker's metrics cost a capture: processor time of all counters and timers on its way, in one thread."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.measure import Benchmark
from worker.monitoring.metrics import WorkerMetrics

CAPTURES = 5_000


def count_one(metrics: WorkerMetrics) -> None:
    """Count a capture as `worker.line.inspector` does, with a forward pass of its own, which is the dearest case."""
    for stage in ("fetch", "arrive", "decode"):
        with metrics.stage(stage):
            pass
    metrics.forward_pass([0.004], 0.012)
    for stage in ("commit", "notify"):
        with metrics.stage(stage):
            pass
    metrics.judged("intact", 0.2)


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
