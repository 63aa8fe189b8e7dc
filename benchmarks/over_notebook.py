"""A whole line against the lab's loop on the same photographs, and how often the two say the same.

Both learn from photographs that they do not judge afterwards: the notebook's `SVC` from the features that the loop
finds (float32, every pixel), the line's model from those of its own network and its own pixels. So each judges by what
it was trained on, as in life, and their verdicts may differ; the share of equal ones is a figure of its own.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
from sqlalchemy import select

from benchmarks.line import Line, running, shown_by
from benchmarks.line_rate import CAPTURES, captures_per_second, warm_up
from benchmarks.materials import photographs, random_weights
from benchmarks.measure import Benchmark
from benchmarks.networks import VGG16, network
from benchmarks.notebook import Loop, written
from db.schema.tables import Captures, Verdicts
from producer.runtime.arrays import Int64Array
from worker.images.decoding import decode
from worker.models.gram_svm import fit_gram, gram, primal
from worker.models.line_model import LINE_CLASSES
from worker.models.linear_svm import LinearModel
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.networks.loaded_network import Network

JUDGED, LEARNED_FROM = 32, 64
"""Photographs that are judged, and others that both sides learn from."""


@dataclass(frozen=True)
class Compared:
    """What was measured of a line and a loop."""

    ratios: list[float]
    """The line's captures a second over the loop's images a second."""
    equal: float
    """The share of the photographs of which both say the same."""


@cache
def compared(line_backbone: str, loop_backbone: str, samples: int) -> Compared:
    """Measure both in turn; the line's rate is the mean of those before and after the loop, while which it is idle."""
    everything = photographs(JUDGED + LEARNED_FROM)
    learned_from = everything[JUDGED:]
    sides = np.arange(LEARNED_FROM) % 2  # as rendered: every second one is damaged
    seeing = network(line_backbone)
    with random_weights(loop_backbone) as weights, tempfile.TemporaryDirectory(prefix="bench-images-") as folder:
        files = written(Path(folder), everything)
        loop = Loop(loop_backbone, weights)
        loop.learn(np.concatenate([loop.features(file) for file in files[JUDGED:]]), sides)
        with running(seeing, model_of(seeing, learned_from, sides)) as line:
            warm_up(line)
            by_line = sides_of(line, "warm-up")
            captures = CAPTURES[line_backbone]
            rates, ratios = [captures_per_second(line, "first", captures)], []
            for sample in range(samples):
                start = time.perf_counter()
                by_loop = loop.judge(files[:JUDGED])
                images_per_second = JUDGED / (time.perf_counter() - start)
                rates.append(captures_per_second(line, f"station-{sample}", captures))
                rate = fmean(rates[-2:])
                print(f"  line {rate:.1f} captures/s, loop {images_per_second:.2f} images/s", flush=True)
                ratios.append(rate / images_per_second)
    equal = sum(a == b for a, b in zip(by_line, by_loop, strict=True)) / JUDGED
    return Compared(ratios, equal)


def model_of(seeing: Network, learned_from: tuple[bytes, ...], sides: Int64Array) -> LinearModel:
    """The line's model: a linear SVM on the features that its own network finds."""
    features = np.concatenate([seeing.features_of(decode(each, seeing.input_size)[None]) for each in learned_from])
    return primal(fit_gram(gram(features), sides), features, LINE_CLASSES)


def sides_of(line: Line, station: str) -> list[int]:
    """What the line said of each of the photographs: 0 of an intact one, 1 of a damaged one."""
    said = select(Captures.image, Verdicts.outcome).join(Verdicts).where(Captures.station == station)
    with line.database.reading() as session:
        outcomes = {shown_by(key): outcome for key, outcome in session.execute(said).tuples()}
    return [LINE_CLASSES.index(outcomes[number]) for number in range(JUDGED)]


def _equal(samples: int) -> list[float]:
    return [compared(VGG16, "vgg16:fc1", samples).equal]


BENCHMARKS = (
    Benchmark(
        name="line_over_notebook",
        sentence="captures per second of a full line with the default backbone, over images per second of the lab's "
        "loop with mobilenet:conv1_relu",
        unit="times the loop",
        target=20,
        at_least=True,
        measure=lambda samples: compared(DEFAULT_BACKBONE, "mobilenet:conv1_relu", samples).ratios,
        samples=3,
    ),
    Benchmark(
        name="vgg16_over_notebook",
        sentence=f"captures per second of a full line with {VGG16}, over images per second of the lab's loop with "
        "vgg16:fc1",
        unit="times the loop",
        target=6,
        at_least=True,
        measure=lambda samples: compared(VGG16, "vgg16:fc1", samples).ratios,
        samples=3,
    ),
    Benchmark(
        name="vgg16_equal_verdicts",
        sentence=f"share of {JUDGED} photographs of which line and loop of vgg16_over_notebook say the same, each "
        f"trained on {LEARNED_FROM} others",
        unit="of the photographs",
        target=None,
        at_least=True,
        measure=_equal,
        samples=3,
    ),
)
