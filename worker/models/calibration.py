"""Platt scaling: from a decision value to the probability of damage, and how well calibrated it is.

`SVC(probability=True)` is being removed from scikit-learn; its replacement is `CalibratedClassifierCV`, which is used
here on decision values that are out of fold already (a frozen estimator passes them through), so that the same values
serve the choice of C, the calibration and the report.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from worker.runtime.arrays import Float64Array, Int64Array

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


def calibrate(decisions: Float64Array, labels: Int64Array) -> Calibration:
    """Fit Platt's sigmoid to out-of-fold `decisions` (n,) of images with `labels` (n,), 1 for damaged.

    Platt's targets ((N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2) instead of 1 and 0) keep the slope finite where the two sides do
    not overlap.

    Raises:
        CalibrationError: only one side is among the labels, or a value is not finite.
    """
    if set(np.unique(labels).tolist()) != {0, 1}:
        raise CalibrationError("a calibration needs images of both sides, intact and damaged")
    if not np.isfinite(decisions).all():
        raise CalibrationError("some decision values are not finite")
    spread = float(np.abs(decisions).max()) or 1.0  # scikit-learn's optimiser is made for values of about 1
    every = np.arange(len(labels))
    fitted = CalibratedClassifierCV(FrozenEstimator(_passed_through()), method="sigmoid", cv=[(every, every)])
    fitted.fit(decisions[:, None] / spread, labels)
    sigmoid = fitted.calibrated_classifiers_[0].calibrators[0]
    slope, offset = -float(sigmoid.a_) / spread, -float(sigmoid.b_)
    if slope > 0:
        return Calibration(slope, offset)
    damaged = int((labels == 1).sum())
    return Calibration(0.0, math.log((damaged + 1) / (len(labels) - damaged + 1)))


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


def _passed_through() -> Any:
    """A fitted binary classifier whose decision value is its one feature."""
    classifier = LogisticRegression()
    classifier.classes_ = np.array([0, 1])
    classifier.coef_, classifier.intercept_, classifier.n_features_in_ = np.ones((1, 1)), np.zeros(1), 1
    return classifier
