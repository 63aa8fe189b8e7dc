"""The unsure band: where the cheapest answer is intact, where damaged, and where a person decides (Chow's rule)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from producer.contract.vocabulary import JudgedOutcome
from producer.runtime.arrays import BoolArray, Float64Array, Int64Array
from worker.models.costs import BandError, Costs


@dataclass(frozen=True)
class Band:
    """Intact below `lower`, damaged from `upper` on, unsure between: limits of the probability of damage.

    `threshold` is between them: above it damaged is the cheaper of the two answers, where no person can be asked. Where
    `lower` and `upper` are equal nothing is unsure.
    """

    lower: float
    threshold: float
    upper: float

    def __post_init__(self) -> None:
        if not 0 <= self.lower <= self.threshold <= self.upper <= 1:
            raise BandError(
                f"a band's limits must rise from 0 to 1, not be {self.lower}, {self.threshold}, {self.upper}"
            )

    def side(self, probability: float) -> JudgedOutcome:
        """Return the answer at one probability of damage."""
        if probability < self.lower:
            return "intact"
        return "damaged" if probability >= self.upper else "unsure"

    def decided(self, probabilities: Float64Array) -> BoolArray:
        """Return which of the probabilities (n,) are answered without a person."""
        return (probabilities < self.lower) | (probabilities >= self.upper)


def band(costs: Costs) -> Band:
    """Return the cheapest band for `costs` (Chow 1970, "On optimum recognition error and reject tradeoff").

    At a probability p of damage, intact costs p · missed_damaged, damaged (1 - p) · needless_change, and a person
    `look`: the cheapest of the three is the answer. Where a look is never the cheapest, the band is empty.
    """
    threshold = costs.needless_change / (costs.missed_damaged + costs.needless_change)
    lower = min(costs.look / costs.missed_damaged, threshold)
    upper = max(1 - costs.look / costs.needless_change, threshold)
    return Band(lower, threshold, upper)


def cost(band: Band, costs: Costs, probabilities: Float64Array, labels: Int64Array) -> float:
    """Return the mean cost of an image when `band` answers at `probabilities` (n,); `labels` (n,) are 1 for damaged."""
    intact, damaged = probabilities < band.lower, probabilities >= band.upper
    paid = np.where(intact, costs.missed_damaged * (labels == 1), costs.look)
    return float(np.where(damaged, costs.needless_change * (labels == 0), paid).mean())


@dataclass(frozen=True)
class RiskCoveragePoint:
    """One point of the risk-coverage curve: with this share of the images decided, this `accuracy` among them."""

    coverage: float
    accuracy: float


def decision_order(band: Band, probabilities: Float64Array) -> tuple[Int64Array, Int64Array]:
    """Return the order (n,) in which images are decided, and the places in it after which deciding may stop.

    The images (n,) farthest from the band's threshold are decided first, on each side relative to the room there (to 0
    below it, to 1 above). Images that are equally far are decided together.
    """
    below = probabilities < band.threshold
    room = np.where(below, band.threshold, 1 - band.threshold)
    distance = np.abs(probabilities - band.threshold) / np.where(room > 0, room, 1)
    order = np.argsort(-distance, kind="stable")
    return order, np.flatnonzero(np.append(np.diff(distance[order]) != 0, True))


def risk_coverage_curve(band: Band, probabilities: Float64Array, labels: Int64Array) -> list[RiskCoveragePoint]:
    """Return how accuracy falls while coverage grows: one point for each number of images that can be decided.

    `labels` (n,) are 1 for damaged; `decision_order` says which images are decided first.
    """
    order, stops = decision_order(band, probabilities)
    correct = np.cumsum(((probabilities >= band.threshold) == (labels == 1))[order])
    return [RiskCoveragePoint((int(stop) + 1) / len(labels), int(correct[stop]) / (int(stop) + 1)) for stop in stops]


def coverage_at_accuracy(band: Band, probabilities: Float64Array, labels: Int64Array, accuracy: float = 0.99) -> float:
    """Return the largest share of the images (n,) that can be decided at this accuracy; 0 where there is none."""
    curve = risk_coverage_curve(band, probabilities, labels)
    return max((point.coverage for point in curve if point.accuracy >= accuracy), default=0.0)
