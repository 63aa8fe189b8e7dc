"""From a decision value to the probability of damage, and how well calibrated it is.

How a calibration is fitted is in `worker.models.platt_scaling`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from producer.runtime.arrays import Float64Array, Int64Array

BINS = 10
"""Equal-width bins of the calibration error and of the reliability diagram."""


class CalibrationError(ValueError):
    """The decision values cannot be calibrated; the message says why."""


@dataclass(frozen=True)
class Calibration:
    """P(damaged) = 1 / (1 + exp(-(slope · decision + offset))) (Platt 2000, with the sign reversed).

    `slope` is not negative, so that the probability never falls while the decision value rises. It is 0 where the
    decision values carry no information, and then every probability is the share of damaged among the labels.
    """

    slope: float
    offset: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and math.isfinite(self.offset) and self.slope >= 0):
            raise CalibrationError(
                f"a calibration needs a finite slope ≥ 0 and offset, not {self.slope}, {self.offset}"
            )

    def moved(self, cut: float) -> Calibration:
        """Return the calibration of decision values that have `cut` taken off them."""
        return Calibration(self.slope, self.offset + self.slope * cut)

    def probability(self, decision: float) -> float:
        """Return the probability of damage at one decision value; plain arithmetic, for the line."""
        return 0.5 + 0.5 * math.tanh(0.5 * (self.slope * decision + self.offset))

    def probabilities(self, decisions: Float64Array) -> Float64Array:
        """Return the probabilities (n,) of damage at decision values (n,)."""
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * (self.slope * decisions + self.offset)), np.float64)


@dataclass(frozen=True)
class Bin:
    """One bar of a reliability diagram: `count` images whose mean probability was `probability`, and the share of them
    that was in fact `damaged`.
    """

    count: int
    probability: float
    damaged: float


def reliability(probabilities: Float64Array, labels: Int64Array, bins: int = BINS) -> list[Bin]:
    """Return the equal-width bins that have images, by probability (n,) of damage; `labels` (n,) are 1 for damaged."""
    places = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    return [
        Bin(int(here.sum()), float(probabilities[here].mean()), float(labels[here].mean()))
        for here in (places == place for place in np.unique(places))
    ]


def calibration_error(probabilities: Float64Array, labels: Int64Array, bins: int = BINS) -> float:
    """Return the expected calibration error: the mean distance of probability and share over the bins, weighted by
    images.

    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning", for the
    probability of damage and equal-width bins. With few images it is biased upwards: n images of a perfect model in one
    bin still show about √(p(1-p)/n).
    """
    return sum(
        bar.count * abs(bar.probability - bar.damaged) for bar in reliability(probabilities, labels, bins)
    ) / len(labels)
