"""How long a station waits on an idle line with the default backbone: for one capture, and for a head of thirty."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from statistics import fmean, median
from uuid import UUID

import numpy as np

from benchmarks import bare_judging
from benchmarks.line import HEAD, Line, running
from benchmarks.materials import photographs
from benchmarks.measure import Benchmark
from benchmarks.networks import network
from producer.contract.event import new_id
from producer.delivery.grouping import DEFAULT_GROUP
from producer.delivery.outbox import Outbox
from producer.station.station import Station
from worker.networks.default_backbone import DEFAULT_BACKBONE

CAPTURES = 60
"""Single captures in one sample: the third longest is the 95th percentile."""

TIMEOUT = 60.0
"""Seconds to wait for an answer before the measurement has failed."""


class Watch:
    """A station on an idle line."""

    def __init__(self, line: Line, station: Station):
        self._line = line
        self._station = station

    def head_seconds(self, inserts: int) -> float:
        """Seconds from the first submission to the last verdict of a check of that many inserts."""
        start = time.monotonic()
        return self._answered(self._submit(inserts)) - start

    def submit_seconds(self, inserts: int) -> float:
        """Seconds of the station's own work for a head: each image and each event synced, while the worker is still."""
        with self._line.standstill():
            start = time.monotonic()
            captures = self._submit(inserts)
            seconds = time.monotonic() - start
        self._answered(captures)
        return seconds

    def _submit(self, inserts: int) -> list[UUID]:
        check = new_id()
        return [
            self._station.submit(
                image, machine="m", head="h", pocket=pocket, operation="op", check_id=check, check_size=inserts
            ).capture_id
            for pocket, image in enumerate(photographs()[:inserts], 1)
        ]

    def _answered(self, captures: list[UUID]) -> float:
        """When the last of them was answered."""
        answers = self._station.wait_for(captures, TIMEOUT)
        if len(answers) < len(captures):
            lacking = len(captures) - len(answers)
            raise TimeoutError(f"{lacking} of {len(captures)} captures were not answered in {TIMEOUT:.0f} s")
        return max(answer.at for answer in answers.values())


@contextmanager
def watching(line: Line, name: str) -> Iterator[Watch]:
    """A station of that name on a line, which has had one capture judged to warm up."""
    outbox = Outbox(line.settings.data / f"{name}.db")
    with closing(outbox), Station(name, line.images, outbox, line.redis_url) as station:
        watch = Watch(line, station)
        watch.head_seconds(1)
        yield watch


@contextmanager
def idle_line() -> Iterator[Watch]:
    """A line with the default backbone that has judged a head to warm up, and nothing to do."""
    with running(network(DEFAULT_BACKBONE)) as line, watching(line, "station-1") as watch:
        watch.head_seconds(HEAD)
        yield watch


def added_milliseconds(percentile: float, samples: int) -> list[float]:
    """`samples` times the percentile of the milliseconds that a capture takes beyond decoding and network."""
    added = []
    image, judging = photographs()[0], network(DEFAULT_BACKBONE)
    with idle_line() as watch:
        for _ in range(samples):
            waited = [watch.head_seconds(1) for _ in range(CAPTURES)]
            work = median(bare_judging.one_by_one_seconds(judging, [image] * CAPTURES))
            print(f"  submit to verdict {1000 * median(waited):.1f} ms, bare {1000 * work:.1f} ms", flush=True)
            added.append(1000 * (float(np.percentile(waited, percentile)) - work))
    return added


def head_ratios(samples: int) -> list[float]:
    """`samples` times the seconds of a head over the least that it can take, each the mean of three.

    That is the longer of what the station does for it and of the bare work, by all processes, and then one message of
    captures by one process: the last one is not judged before it was sent.
    """
    measured = []
    with bare_judging.processes(DEFAULT_BACKBONE, photographs()) as bares, idle_line() as watch:
        for _ in range(samples):
            rounds = [
                (watch.head_seconds(HEAD), watch.submit_seconds(HEAD), bares.work(10 * HEAD).per_second)
                for _ in range(3)
            ]
            took, submitted, rate = (fmean(values) for values in zip(*rounds, strict=True))
            work, group = HEAD / rate, DEFAULT_GROUP * bares.processes / rate
            print(
                f"  head of {HEAD}: {took:.3f} s; submitting {submitted:.3f} s, bare {work:.3f} s, a message "
                f"{group:.3f} s",
                flush=True,
            )
            measured.append(took / (max(submitted, work) + group))
    return measured


def _percentile(percentile: float) -> Callable[[int], list[float]]:
    return lambda samples: added_milliseconds(percentile, samples)


BENCHMARKS = (
    Benchmark(
        name="latency_p50_ms",
        sentence="one capture on an idle line, submit to verdict at the station, minus decoding and network: median",
        unit="ms",
        target=15,
        at_least=False,
        measure=_percentile(50),
    ),
    Benchmark(
        name="latency_p95_ms",
        sentence="one capture on an idle line, submit to verdict at the station, minus decoding and network: p95",
        unit="ms",
        target=30,
        at_least=False,
        measure=_percentile(95),
    ),
    Benchmark(
        name="head_of_30",
        sentence="thirty inserts, first submit to last verdict, over the longer of submitting and judging them bare, "
        "and one message",
        unit="times the least",
        target=1.3,
        at_least=False,
        measure=head_ratios,
    ),
)
