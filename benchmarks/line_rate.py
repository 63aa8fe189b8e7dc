"""Line against network: how many captures a second a whole line judges, over the bare rate of the work itself.

The bare rate is measured in this process before and after every run of the line, while its worker is idle, and their
mean counts; so each sample is a ratio within one run, of neighbouring minutes on one machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from benchmarks import bare
from benchmarks.line import Line, running
from benchmarks.materials import photographs, random_weights
from benchmarks.measure import Benchmark


def captures_per_second(line: Line, station: str, captures: int) -> float:
    """The steady rate at which a full queue becomes verdicts.

    Verdicts come in bursts, a batch at a time, so the rate is the slope of the straight line through their number
    against their time. The worker stands still while the queue is filled. The last batch's worth does not count, when
    too little is left for full batches.
    """
    with line.standstill():
        line.publish(station, captures)
    return slope(line.wait(station, captures)[: -bare.BATCH])


def slope(times: Sequence[float]) -> float:
    """Events per second from the times of at least ten events, by least squares. Raises `ValueError` for fewer."""
    if len(times) < 10:
        raise ValueError(f"{len(times)} verdicts in the steady part say nothing: publish more captures")
    moments = np.asarray(times) - times[0]
    return float(np.polyfit(moments, np.arange(len(times)), 1)[0])


def ratios(backbone: str, captures: int, batches: int, with_decode: bool, samples: int) -> list[float]:
    """`samples` times the line's rate over the bare rate."""

    def bare_rate() -> float:
        seconds = bare.forward_seconds(network, batches)
        if with_decode:
            seconds += bare.decode_seconds(network, photographs(), rounds=max(1, batches // 4))
        return 1 / seconds

    with random_weights(backbone) as weights:
        network = bare.load(backbone, weights)
        with running(backbone, weights, network.feature_size, network.fingerprint) as line:
            captures_per_second(line, "warm-up", max(100, captures // 8))
            bares, rates = [bare_rate()], []
            for sample in range(samples):
                rates.append(captures_per_second(line, f"station-{sample}", captures))
                bares.append(bare_rate())
                print(f"  line {rates[-1]:.2f}/s, bare {bares[-2]:.2f} and {bares[-1]:.2f}/s", flush=True)
    return [2 * rate / (before + after) for rate, (before, after) in zip(rates, pairwise(bares), strict=True)]


BENCHMARKS = (
    Benchmark(
        name="line_vgg16",
        sentence="captures per second of a full line with vgg16:fc1, over the bare batched forward pass",
        unit="of the bare rate",
        target=0.90,
        at_least=True,
        measure=partial(ratios, "vgg16:fc1", 192, 2, False),
        samples=3,
    ),
    Benchmark(
        name="line_insertnet",
        sentence="captures per second of a full line with insertnet, over bare decoding and forward pass",
        unit="of the bare rate",
        target=0.80,
        at_least=True,
        measure=partial(ratios, "insertnet", 800, 8, True),
        samples=5,
    ),
    Benchmark(
        name="line_mobilenet",
        sentence="captures per second of a full line with mobilenet:conv_pw_12_relu+gap, over bare decoding and pass",
        unit="of the bare rate",
        target=0.80,
        at_least=True,
        measure=partial(ratios, "mobilenet:conv_pw_12_relu+gap", 800, 8, True),
        samples=5,
    ),
)
