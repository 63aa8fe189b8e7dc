"""The plan against a real line: how long heads wait for their last verdict, predicted and then measured.

One worker with the default backbone, Redis and SQLite on this machine. In each sample the worker's rate from a full
queue and the time of a single capture are measured first, as `benchmarks.plan_figures` does; then heads arrive at
random moments, as many a second as keep the worker busy `BUSY` of the time, and the 95th percentile of the time from a
head's first event to its last committed verdict is compared with the plan's.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.line import HEAD, Line, running
from benchmarks.line_rate import CAPTURES, captures_per_second, warm_up
from benchmarks.measure import Benchmark
from benchmarks.networks import network
from benchmarks.plan_figures import single_seconds
from benchmarks.plan_simulation import at_random
from producer.runtime.arrays import Float64Array
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.planning.measurements import WorkerFigures
from worker.planning.plan import SHARE, Load, waits

STATIONS = 20
HEADS = 250
"""Heads of one sample: a dozen lie beyond the 95th percentile."""
BUSY = 0.6


def answered_p95(line: Line, name: str, arrivals: Float64Array) -> float:
    """Send heads, each at its moment in seconds from now; the 95th percentile of the times to their last verdict."""
    began = []
    start = time.monotonic()
    for number, arrival in enumerate(arrivals):
        time.sleep(max(0.0, start + arrival - time.monotonic()))
        began.append(time.time())
        line.publish(f"{name}-{number}", HEAD)
    ended = [line.wait(f"{name}-{number}", HEAD)[-1] for number in range(len(arrivals))]
    return float(np.quantile(np.subtract(ended, began), SHARE))


def ratios(samples: int) -> list[float]:
    """`samples` times the larger of the plan's and the line's 95th percentile over the smaller."""
    measured_ratios = []
    with running(network(DEFAULT_BACKBONE)) as line:
        warm_up(line)
        for sample in range(samples):
            single = single_seconds(line, f"single-{sample}")
            rate = captures_per_second(line, f"full-{sample}", CAPTURES[DEFAULT_BACKBONE])
            load = Load(STATIONS, HEAD, STATIONS * HEAD / (BUSY * rate))
            worker = WorkerFigures(cores=1, per_second=rate, single_seconds=single, bytes=1)
            planned = waits(load, worker, station_per_second=float("inf"), workers=1).answered
            measured = answered_p95(line, f"sample-{sample}", at_random(STATIONS, load.every, HEADS, seed=sample))
            if planned is None:
                raise RuntimeError("a load below what the worker carries has an answer")
            print(f"  {rate:.0f} captures/s: planned {planned:.2f} s, measured {measured:.2f} s", flush=True)
            measured_ratios.append(max(planned / measured, measured / planned))
    return measured_ratios


BENCHMARK = Benchmark(
    name="plan_against_line",
    sentence=f"95th percentile of a head's answer, busy {BUSY:.0%}: the plan's and a line's, larger over smaller",
    unit="times",
    target=1.5,
    at_least=False,
    measure=ratios,
    samples=3,
)
