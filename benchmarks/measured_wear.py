"""What is said of remaining lives where the wear land is measured, on simulated plants of known truth.

Plants whose land grows in several ways to a width at which people find damage, with a pace of each insert's own. When
10, 20 and 30 lives have ended, each insert in use that the wear line answers for is asked about, by it and by its age
alone (`worker/lives/weibull.py`); its end is the truth. `python -m benchmarks.measured_wear` prints it by kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from benchmarks.measure import Benchmark
from benchmarks.rolling_origin import MethodScore
from db.learning.survival_curve import SurvivalCurve
from producer.runtime.arrays import Float64Array
from worker.lives.life import CensoredLife
from worker.lives.wear_line import WearLine, WornOut, remaining
from worker.lives.weibull import fit

HEADS, POCKETS, OPERATIONS = 4, 5, 200
MEDIAN_LIFE, SPREAD = 25.0, 0.3
"""Operations, and how far both heads and the inserts of a head differ, on the logarithm."""
LIMIT_SPREAD = 0.08
"""How far the widths differ at which people find damage, on the logarithm."""
NOISE = (0.05, 0.03)
"""Of a measurement: as a share of the width, and of the limit."""
UNSEEN = 0.1
"""No land is measured below that share of the limit, and none in that share of the photographs."""
ENDED = (10, 20, 30)
PLANTS = 12


def _bent(times: float) -> Callable[[Float64Array], Float64Array]:
    """Wear that from three quarters of the limit on is so many times as fast."""
    bend = 1 / (1 + 0.25 / 0.75 / times)
    return lambda share: np.where(share <= bend, 0.75 * share / bend, 0.75 + 0.25 * (share - bend) / (1 - bend))


SHAPES: Final[dict[str, Callable[[Float64Array], Float64Array]]] = {
    "steady": lambda share: share,
    "slowing": np.sqrt,
    "quickening": np.square,
    "quicker by four fifths at the end": _bent(1.8),
    "four times as quick at the end": _bent(4.0),
    "break-in, steady, quick end": lambda share: (
        0.25 * (1 - np.exp(-share / 0.05)) + 0.4 * share + 0.35 * np.minimum(share, 3.0) ** 6
    ),
    "uneven": lambda share: share,
    "false measurements": lambda share: share,
    "breakage": lambda share: share,
}
"""How wide the land is, as a share of the limit, after a share of the life."""


@dataclass(frozen=True)
class Insert:
    """An insert from operation `begun` of the plant on, in its pocket for `last` operations.

    It ends at the age `end`, if it was not changed before; `widths` (last,) are measured, nan where none is.
    """

    head: int
    begun: int
    last: int
    end: float
    broken: bool
    widths: Float64Array

    @property
    def has_ended(self) -> bool:
        """Whether damage was found before it was changed."""
        return self.last > self.end

    def life(self, age: int) -> CensoredLife:
        """What is known of it at that age."""
        if self.last > age or not self.has_ended:
            return CensoredLife(self.head, min(age, self.last))
        return CensoredLife(self.head, self.last - 1, self.last, "broken" if self.broken else "worn")

    def line(self, age: int) -> WearLine | None:
        """Its wear line up to that age."""
        measured = [(at + 1.0, width) for at, width in enumerate(self.widths[:age].tolist()) if not math.isnan(width)]
        return WearLine.of(measured, "mm")


def inserts(kind: str, seed: int) -> Iterator[Insert]:
    """The inserts of one plant; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    for head in range(HEADS):
        pace = float(rng.normal(0, SPREAD))
        for _ in range(POCKETS):
            begun = 0
            while begun < OPERATIONS:
                insert = _insert(rng, kind, head, pace, begun)
                yield insert
                begun += insert.last


def _insert(rng: np.random.Generator, kind: str, head: int, pace: float, begun: int) -> Insert:
    life = MEDIAN_LIFE * math.exp(pace + rng.normal(0, SPREAD))
    limit = math.exp(rng.normal(0, LIMIT_SPREAD))
    count = int(4 * life) + 4
    if kind == "uneven":
        land = np.cumsum(rng.gamma(1.5, 1 / 1.5, count)) / life
    else:
        land = SHAPES[kind](np.arange(1, count + 1) / life)
    before = np.concatenate([[0.0], land])
    after = int(np.argmax(before >= limit))
    end = after - 1 + (limit - before[after - 1]) / (before[after] - before[after - 1])
    breaks = float(rng.exponential(150)) if kind == "breakage" else math.inf
    broken, end = breaks < end, min(end, breaks)
    last = min(math.floor(end) + 1, int(rng.geometric(0.003)))
    widths = land[:last] * np.exp(rng.normal(0, NOISE[0], last)) + rng.normal(0, NOISE[1], last)
    if kind == "false measurements":
        widths *= np.where(rng.random(last) < UNSEEN, rng.uniform(0.3, 2, last), 1)
    widths[(land[:last] < UNSEEN) | (rng.random(last) < UNSEEN)] = math.nan
    return Insert(head, begun, last, end, broken, widths)


@dataclass
class Asked:
    """Answers by the wear line and by the age, to the same questions, with the widths of their intervals."""

    line: MethodScore
    age: MethodScore
    line_width: float = 0.0
    age_width: float = 0.0


@cache
def asked(kind: str, sample: int = 0) -> Asked:
    """Ask in several plants of a kind; another sample is of other plants."""
    result = Asked(MethodScore(), MethodScore())
    for seed in range(PLANTS):
        plant = list(inserts(kind, 1000 * sample + seed))
        ends = sorted(insert.begun + insert.last for insert in plant if insert.has_ended)
        for ended in ENDED:
            _ask(plant, ends[ended - 1], result)
    return result


def _ask(plant: list[Insert], origin: int, result: Asked) -> None:
    begun = [insert for insert in plant if insert.begun < origin]
    model = fit([insert.life(origin - insert.begun) for insert in begun])
    if model is None:
        raise RuntimeError(f"fewer lives have ended at operation {origin} than were counted")
    ended = [it for it in begun if it.has_ended and it.begun + it.last <= origin and not it.broken]
    lines = ((it.line(it.last - 1), it.last - 0.5) for it in ended)
    worn_out = [WornOut(line, end) for line, end in lines if line is not None]
    for insert in begun:
        age = origin - insert.begun
        if not (age < insert.last and insert.has_ended) or (line := insert.line(age)) is None:
            continue
        if (law := remaining(worn_out, line, age)) is None:
            continue
        result.line_width += _take(result.line, law.curve(model, age), insert.end - age)
        result.age_width += _take(result.age, model.curve(insert.head, age), insert.end - age)


def _take(score: MethodScore, curve: SurvivalCurve, truth: float) -> float:
    low, high = curve.interval
    score.take((low, curve.median, high), truth)
    return high - low


def _pooled(sample: int) -> float:
    scores = [asked(kind, sample).line for kind in SHAPES]
    return sum(score.covered for score in scores) / sum(score.answers for score in scores)


def _worst(figure: Callable[[Asked], float], worst: Callable[..., float]) -> Callable[[int], list[float]]:
    return lambda samples: [worst(figure(asked(kind, sample)) for kind in SHAPES) for sample in range(samples)]


BENCHMARKS = (
    Benchmark(
        "remaining_life_by_wear_coverage",
        "the share of simulated inserts with a measured wear land that end within their 80 % interval, of all kinds",
        "share",
        0.75,
        True,
        lambda samples: [_pooled(sample) for sample in range(samples)],
        samples=1,
    ),
    Benchmark(
        "remaining_life_by_wear_coverage_low",
        "the same, of the way of wear where it is lowest",
        "share",
        0.70,
        True,
        _worst(lambda result: result.line.coverage, min),
        samples=1,
    ),
    Benchmark(
        "remaining_life_by_wear_loss",
        "the pinball loss by the wear line over that by the age alone, of the way of wear where it is worst",
        "ratio",
        1.0,
        False,
        _worst(lambda result: result.line.pinball / result.age.pinball, max),
        samples=1,
    ),
)


def main() -> None:
    """Print what came of every way of wear."""
    for kind in SHAPES:
        result = asked(kind)
        figures = ", ".join(
            f"by {name} {score.coverage:.2f} covered, {width / score.answers:.1f} wide, loss {score.pinball:.2f}"
            for name, score, width in (
                ("line", result.line, result.line_width),
                ("age", result.age, result.age_width),
            )
        )
        print(f"{kind}: asked {result.line.answers}: {figures}", flush=True)
    print(f"all: {_pooled(0):.3f} covered")


if __name__ == "__main__":
    main()
