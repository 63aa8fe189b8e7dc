"""How long a station waits on an idle line with insertnet, beyond the time of decoding and the network themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean, median
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from benchmarks import bare
from benchmarks.line import HEAD, running
from benchmarks.materials import photographs
from benchmarks.measure import Benchmark
from producer.contract.event import new_id
from producer.delivery.outbox import Outbox
from producer.station.station import Station

if TYPE_CHECKING:
    from worker.backbones.backbone import Backbone

CAPTURES = 60
"""Single captures in one sample: the third longest is the 95th percentile."""

TIMEOUT = 60.0
"""Seconds to wait for an answer before the measurement has failed."""


class Watch:
    """A station on an idle line, and the bare network beside it."""

    def __init__(self, station: Station, network: Backbone):
        self.network = network
        self._station = station

    def head_seconds(self, inserts: int) -> float:
        """Seconds from the first submission to the last verdict of a check of that many inserts."""
        check = new_id()
        captures: list[UUID] = []
        start = time.monotonic()
        for number, image in enumerate(photographs()[:inserts]):
            event = self._station.submit(
                image, machine="m", head="h", pocket=number + 1, operation="op", check_id=check, check_size=inserts
            )
            captures.append(event.capture_id)
        answers = self._station.wait_for(captures, TIMEOUT)
        if len(answers) < inserts:
            raise TimeoutError(f"{inserts - len(answers)} of {inserts} captures were not answered in {TIMEOUT:.0f} s")
        return max(answer.at for answer in answers.values()) - start

    def bare_head_seconds(self, inserts: int) -> float:
        """Seconds for the same images decoded on all cores and judged in one batch."""
        images = photographs()[:inserts]
        seconds = bare.decode_seconds(self.network, images) * inserts
        prepared = np.stack([bare.prepared(self.network, image) for image in images])
        start = time.perf_counter()
        self.network.features(prepared)
        return seconds + time.perf_counter() - start


@contextmanager
def idle_line() -> Iterator[Watch]:
    """A line with insertnet that has judged a head to warm up, and nothing to do."""
    network = bare.load("insertnet", None)
    with running("insertnet", None, network.feature_size, network.fingerprint) as line:
        outbox = Outbox(line.settings.data / "outbox.db")
        with Station("station-1", line.images, outbox, line.redis_url) as station:
            watch = Watch(station, network)
            watch.head_seconds(HEAD)
            watch.bare_head_seconds(HEAD)
            yield watch
        outbox.close()


def added_milliseconds(percentile: float) -> Callable[[int], list[float]]:
    """A measurement of the percentile of milliseconds that a single capture takes longer than its bare judgement."""

    def measure(samples: int) -> list[float]:
        added = []
        with idle_line() as watch:
            for _ in range(samples):
                images = photographs()
                waited = [watch.head_seconds(1) for _ in range(CAPTURES)]
                work = median(bare.one_by_one_seconds(watch.network, [images[0]] * CAPTURES))
                print(f"  submit to verdict {1000 * median(waited):.1f} ms, bare {1000 * work:.1f} ms", flush=True)
                added.append(1000 * (float(np.percentile(waited, percentile)) - work))
        return added

    return measure


def head_ratios(samples: int) -> list[float]:
    """`samples` times the seconds of a thirty-insert head over the bare ones, each the mean of three."""
    measured = []
    with idle_line() as watch:
        for _ in range(samples):
            pairs = [(watch.head_seconds(HEAD), watch.bare_head_seconds(HEAD)) for _ in range(3)]
            took, work = fmean(took for took, _ in pairs), fmean(work for _, work in pairs)
            print(f"  head of {HEAD}: {took:.3f} s, bare {work:.3f} s", flush=True)
            measured.append(took / work)
    return measured


BENCHMARKS = (
    Benchmark(
        name="latency_p50_ms",
        sentence="one capture on an idle line, submit to verdict at the station, minus decoding and forward: median",
        unit="ms",
        target=15,
        at_least=False,
        measure=added_milliseconds(50),
    ),
    Benchmark(
        name="latency_p95_ms",
        sentence="one capture on an idle line, submit to verdict at the station, minus decoding and forward: p95",
        unit="ms",
        target=40,
        at_least=False,
        measure=added_milliseconds(95),
    ),
    Benchmark(
        name="head_of_30",
        sentence="thirty inserts, first submit to last verdict, over bare decoding and forward pass of the thirty",
        unit="times the bare time",
        target=1.25,
        at_least=False,
        measure=head_ratios,
    ),
)
