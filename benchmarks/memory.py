"""The memory of a worker under load: of its parent and its processes together, what they share counted once."""

from __future__ import annotations

import time
from functools import partial

from benchmarks.line import Line, running
from benchmarks.measure import Benchmark
from benchmarks.networks import VGG16, network
from benchmarks.processes import proportional_bytes, tree
from worker.networks.default_backbone import DEFAULT_BACKBONE

PROCESSES = 2

CAPTURES = {DEFAULT_BACKBONE: 1_500, VGG16: 150}
"""Of a full queue, for one sample: some seconds of load."""


def peak_bytes(line: Line, station: str, captures: int) -> int:
    """The largest proportional set size that the line's worker has had while a full queue was judged, in bytes."""
    with line.standstill():
        line.publish(station, captures)
    processes = tree(line.worker.pid)
    peak = 0
    while line.judged(station) < captures:
        peak = max(peak, proportional_bytes(processes))
        time.sleep(0.1)
    line.wait(station, captures)
    return peak


def megabytes(backbone: str, samples: int) -> list[float]:
    """`samples` times the peak of a worker of two processes, a new one each time."""
    measured = []
    for _ in range(samples):
        with running(network(backbone), processes=PROCESSES) as line:
            measured.append(peak_bytes(line, "station-1", CAPTURES[backbone]) / 1e6)
            parts = ", ".join(f"{proportional_bytes([each]) / 1e6:.0f}" for each in tree(line.worker.pid))
        print(f"  peak {measured[-1]:.0f} MB; afterwards, of the parent and each process: {parts} MB", flush=True)
    return measured


BENCHMARKS = tuple(
    Benchmark(
        name=f"memory_{name}_mb",
        sentence=f"memory of a worker of {PROCESSES} processes under load with {backbone}, parent included",
        unit="MB",
        target=target,
        at_least=False,
        measure=partial(megabytes, backbone),
        samples=3,
    )
    for name, backbone, target in (("default", DEFAULT_BACKBONE, 350), ("vgg16_int8", VGG16, 900))
)
