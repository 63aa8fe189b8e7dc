"""`python -m benchmarks.review_weights`: what the weights of labels by chance do to probabilities, on simulated lines.

A line begins with a folder of labelled photographs, half of them damaged, most of these badly. Each round it judges
photographs of which few are damaged, and people label as many as they have time for, in the order of the review queue
(`db.queries.review_queue`). Then a model learns from all labels, with the weights (`worker.models.label_weights`) or
without. In the end it is asked about photographs that it has not seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import Final

import numpy as np

from db.learning.review_chances import SAMPLE_ONE_IN
from db.queries.review_queue import NEAR_SHARE, SAMPLE_EVERY, in_turn
from producer.runtime.arrays import Float32Array, Float64Array, Int64Array
from worker.models.candidate import Learned, learn
from worker.models.costs import Costs
from worker.models.label_weights import label_weights
from worker.models.solver import solver_for
from worker.models.unsure_band import cost

COLUMNS: Final = 12
ROUNDS: Final = 8
PHOTOGRAPHS: Final = 1_500
"""That the line judges in a round."""
SEEDS: Final = 10


@dataclass(frozen=True)
class Plant:
    """So many labels are imported, and so many photographs labelled in a round; this share of the line is damaged."""

    imported: int
    reviews: int
    damaged: float = 0.03


PLANTS: Final = {
    "few imported, many reviews": Plant(80, 100),
    "many imported, few reviews": Plant(600, 50),
}


@dataclass(eq=False)
class Labels:
    """What was labelled: features (n, d), sides (n,), 1 for damaged, and with which chance each was offered."""

    features: Float32Array
    sides: Int64Array
    chances: list[float | None] = field(default_factory=list)

    def add(self, features: Float32Array, sides: Int64Array, chances: Sequence[float | None]) -> None:
        """Label some more."""
        self.features, self.sides = np.concatenate([self.features, features]), np.concatenate([self.sides, sides])
        self.chances += chances


@dataclass(frozen=True)
class Told:
    """Of the line in the end: what is said, and what is true, as shares; the cost of a thousand photographs."""

    probable: float
    damaged: float
    brier: float
    unsure: float
    missed: float
    needless: float
    cost: float


class Model:
    """What was learned from labels, with their weights or without."""

    def __init__(self, labels: Labels, *, weighted: bool):
        rows, solver = np.arange(len(labels.sides)), solver_for(labels.features)
        weights = label_weights(labels.chances, labels.sides) if weighted else None
        self.learned: Learned = learn(solver, labels.features, labels.sides, rows, rows, costs=Costs(), weights=weights)
        chosen = self.learned.hyperparameters
        self._plane = solver.plane(rows, labels.sides, chosen.C, chosen.scale)

    def decisions(self, features: Float32Array) -> Float64Array:
        """Return the decision values (m,) of some photographs."""
        return np.asarray(features @ self._plane.coef + self._plane.intercept - self.learned.cut, np.float64)

    def outcomes(self, decisions: Float64Array) -> Int64Array:
        """Return 0 for intact, 1 for damaged and 2 for unsure."""
        probabilities, limits = self.learned.calibration.probabilities(decisions), self.learned.band
        sides = np.where(probabilities < limits.lower, 0, np.where(probabilities >= limits.upper, 1, 2))
        return np.asarray(sides, np.int64)


def photographed(
    rng: np.random.Generator, number: int, damaged: float, shape: float
) -> tuple[Float32Array, Int64Array]:
    """So many photographs, as features, and which are damaged; the damage is drawn from a gamma distribution."""
    sides = (rng.random(number) < damaged).astype(np.int64)
    damage = np.where(sides == 1, rng.gamma(shape, 3.3 / shape, number), 0)
    features = rng.normal(0, 1, (number, COLUMNS))
    features[:, 0] += damage
    features[:, 1] += 0.6 * damage
    features[:, 2] += 2 * (rng.random(number) < 0.05)  # dirt
    features[:, 3:6] += rng.normal(0, 1, (number, 3))
    return features.astype(np.float32), sides


def queue(
    rng: np.random.Generator, outcomes: Int64Array, decisions: Float64Array
) -> Iterator[tuple[int, float | None]]:
    """The photographs in the order in which they are offered, each with its chance."""
    drawn = rng.random(len(outcomes)) < 1 / SAMPLE_ONE_IN
    groups = [np.flatnonzero(outcomes == side) for side in (0, 1)]
    near = []
    for rows, sign in zip(groups, (-1, 1), strict=True):
        nearest = rows[np.argsort(sign * decisions[rows])][: int(NEAR_SHARE * len(rows))]
        near.append([int(row) for row in nearest if not drawn[row]])
    sample = iter(in_turn([[int(row) for row in rows if drawn[row]] for rows in groups]))
    informative = iter(
        [*((int(row), 1.0) for row in np.flatnonzero(outcomes == 2)), *((row, None) for row in in_turn(near))]
    )
    while some := list(islice(informative, SAMPLE_EVERY - 1)):
        yield from some
        yield from ((row, 1 / SAMPLE_ONE_IN) for row in islice(sample, 1))
    yield from ((row, 1 / SAMPLE_ONE_IN) for row in sample)


def told(plant: Plant, seed: int, *, weighted: bool) -> Told:
    """What is said of a line after `ROUNDS`."""
    rng = np.random.default_rng(seed)
    labels = Labels(*photographed(rng, plant.imported, 0.5, 6.0))
    labels.chances += [None] * plant.imported
    model = Model(labels, weighted=weighted)
    for _ in range(ROUNDS):
        features, sides = photographed(rng, PHOTOGRAPHS, plant.damaged, 3.0)
        decisions = model.decisions(features)
        offered = list(islice(queue(rng, model.outcomes(decisions), decisions), plant.reviews))
        rows = [row for row, _ in offered]
        labels.add(features[rows], sides[rows], [chance for _, chance in offered])
        model = Model(labels, weighted=weighted)
    features, sides = photographed(np.random.default_rng(10_000 + seed), 20_000, plant.damaged, 3.0)
    decisions = model.decisions(features)
    outcomes, probabilities = model.outcomes(decisions), model.learned.calibration.probabilities(decisions)
    return Told(
        probable=float(probabilities.mean()),
        damaged=float(sides.mean()),
        brier=float(((probabilities - sides) ** 2).mean()),
        unsure=float((outcomes == 2).mean()),
        missed=float((outcomes[sides == 1] == 0).mean()),
        needless=float((outcomes[sides == 0] == 1).mean()),
        cost=1000 * cost(model.learned.band, Costs(), probabilities, sides),
    )


def main() -> int:
    """Print the means over `SEEDS` lines of each plant, without and with the weights."""
    print("plant | weights |", " | ".join(column.name for column in fields(Told)))
    for name, plant in PLANTS.items():
        for weighted in (False, True):
            lines = [list(vars(told(plant, seed, weighted=weighted)).values()) for seed in range(SEEDS)]
            figures = " | ".join(f"{value:.4f}" for value in np.mean(lines, axis=0))
            print(f"{name} | {'with' if weighted else 'without'} | {figures}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
