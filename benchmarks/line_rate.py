"""Line against network: how many captures a second a whole line judges, over the bare rate of the work itself.

The bare work is done by as many processes as the worker has, before and after every run of the line, while its worker
is idle, and the mean of both counts; so each sample is a ratio within one run, of neighbouring minutes on one machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from statistics import fmean

import numpy as np

from benchmarks import bare_judging
from benchmarks.line import Line, running, running_with
from benchmarks.materials import photographs
from benchmarks.measure import Benchmark
from benchmarks.networks import VGG16, network
from benchmarks.processes import processor_seconds, tree
from benchmarks.worker_counting_bare_work import BareWork
from producer.delivery.grouping import DEFAULT_GROUP
from producer.delivery.redis_connection import connect
from worker.networks.default_backbone import DEFAULT_BACKBONE

CAPTURES = {DEFAULT_BACKBONE: 2_000, VGG16: 240}
"""Of a full queue, for one sample."""


def captures_per_second(line: Line, station: str, captures: int, group: int = DEFAULT_GROUP) -> float:
    """The steady rate at which a full queue becomes verdicts.

    Verdicts come in bursts, a message at a time, so the rate is the slope of the straight line through their number
    against their time. The worker stands still while the queue is filled. The last message of each process does not
    count, when some have none any more.
    """
    with line.standstill():
        line.publish(station, captures, group)
    return slope(line.wait(station, captures)[: -group * line.settings.processes])


def slope(times: Sequence[float]) -> float:
    """Events per second from the times of at least ten events, by least squares. Raises `ValueError` for fewer."""
    if len(times) < 10:
        raise ValueError(f"{len(times)} verdicts in the steady part say nothing: publish more captures")
    moments = np.asarray(times) - times[0]
    return float(np.polyfit(moments, np.arange(len(times)), 1)[0])


def warm_up(line: Line, captures: int = 100) -> None:
    """Have a line judge some captures that do not count."""
    captures_per_second(line, "warm-up", captures)


def ratios(backbone: str, samples: int) -> list[float]:
    """`samples` times the line's rate over the bare rate."""
    captures = CAPTURES[backbone]
    with bare_judging.processes(backbone, photographs()) as bares, running(network(backbone)) as line:
        warm_up(line)
        works, rates = [bares.work(captures // 2)], []
        for sample in range(samples):
            rates.append(captures_per_second(line, f"station-{sample}", captures))
            works.append(bares.work(captures // 2))
            before, after = works[-2].per_second, works[-1].per_second
            print(f"  line {rates[-1]:.2f}/s, bare {before:.2f} and {after:.2f}/s", flush=True)
    return [
        2 * rate / (before.per_second + after.per_second)
        for rate, (before, after) in zip(rates, pairwise(works), strict=True)
    ]


def singles_over_groups(samples: int) -> list[float]:
    """`samples` times the rate of a line that gets each capture in a message of its own, over that of one with groups.

    The groups' rate is the mean of the runs before and after.
    """
    captures = CAPTURES[DEFAULT_BACKBONE]
    with running(network(DEFAULT_BACKBONE)) as line:
        warm_up(line)
        groups, singles = [captures_per_second(line, "groups", captures)], []
        for sample in range(samples):
            singles.append(captures_per_second(line, f"singles-{sample}", captures, group=1))
            groups.append(captures_per_second(line, f"groups-{sample}", captures))
            print(f"  singles {singles[-1]:.1f}/s, groups {groups[-2]:.1f} and {groups[-1]:.1f}/s", flush=True)
    return [single / fmean(beside) for single, beside in zip(singles, pairwise(groups), strict=True)]


def overhead_milliseconds(samples: int) -> list[float]:
    """`samples` times the milliseconds of processor time that a capture costs beyond decoding and network.

    That of all of the worker's processes (SQLite works in them) and of Redis, over a full queue and from its filling to
    its last verdict, less what the worker's own decoding and network took in the same seconds: a network that runs
    beside other work is slower than one that runs alone, and the difference of two runs would be mostly that.
    """
    captures = CAPTURES[DEFAULT_BACKBONE]
    command = [sys.executable, "-m", "benchmarks.worker_counting_bare_work"]
    with running_with(command, network(DEFAULT_BACKBONE)) as line:
        warm_up(line)
        used, bare_work, costs = used_seconds(line), BareWork(line.settings.data), []
        for sample in range(samples):
            before, bare_before = used(), bare_work.seconds()
            captures_per_second(line, f"station-{sample}", captures)
            cost, least = (
                1000 * seconds / captures for seconds in (used() - before, bare_work.seconds() - bare_before)
            )
            print(f"  a capture {cost:.2f} ms, of it decoding and network {least:.2f} ms", flush=True)
            costs.append(cost - least)
    return costs


def used_seconds(line: Line) -> Callable[[], float]:
    """What tells the processor seconds that a line's worker and its Redis have had until now."""
    client = connect(line.redis_url, timeout=30.0)
    redis = client.info("server")["process_id"]
    client.close()
    processes = tree(line.worker.pid) + tree(redis)
    return lambda: processor_seconds(processes)


BENCHMARKS = (
    Benchmark(
        name="line_default",
        sentence="captures per second of a full line with the default backbone, over bare decoding and network",
        unit="of the bare rate",
        target=0.85,
        at_least=True,
        measure=partial(ratios, DEFAULT_BACKBONE),
    ),
    Benchmark(
        name="line_vgg16_int8",
        sentence=f"captures per second of a full line with {VGG16}, over bare decoding and network",
        unit="of the bare rate",
        target=0.90,
        at_least=True,
        measure=partial(ratios, VGG16),
        samples=3,
    ),
    Benchmark(
        name="singles_per_s",
        sentence=f"captures per second of a full line in messages of one capture, over those of up to {DEFAULT_GROUP}",
        unit="of the rate in groups",
        target=0.6,
        at_least=True,
        measure=singles_over_groups,
    ),
    Benchmark(
        name="overhead_ms",
        sentence="processor time of worker, database and Redis for a capture, beyond decoding and network",
        unit="ms",
        target=1.5,
        at_least=False,
        measure=overhead_milliseconds,
    ),
)
