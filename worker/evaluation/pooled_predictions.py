"""The test predictions of all splits pooled: for the curves, shares and periods that one split is too small for.

An image that several splits tested counts once for each. Predictions of different splits are compared by their
probability, which each split calibrated by itself, since decision values of different planes have no common scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from sklearn.metrics import roc_curve

from producer.runtime.arrays import BoolArray, Float64Array, Int64Array
from worker.evaluation.cross_validation import CrossValidation
from worker.evaluation.scores import Interval
from worker.models.calibration import Bin, reliability
from worker.models.unsure_band import Band, RiskCoveragePoint, coverage_at_accuracy, decision_order, risk_coverage_curve

RESAMPLES: Final = 200
"""Draws of the bootstrap over inserts."""

FEWEST_IN_A_PERIOD: Final = 20
"""Fewest images of a period of the accuracy over time."""

PERIODS: Final = 12
"""Most periods of the accuracy over time."""

SHORTEST: Final = 60.0
"""Fewest seconds from the first capture to the last for several periods: copied files all have about the same time."""


@dataclass(frozen=True)
class Period:
    """What was captured from `start` to `end`: its `images`, and `accuracy` of all test predictions on them."""

    start: datetime
    end: datetime
    images: int
    accuracy: float


@dataclass(frozen=True, eq=False)
class PooledPredictions:
    """The m test predictions of all splits: rows (m,), probabilities (m,) of damage, truth (m,), 1 for damaged."""

    rows: Int64Array
    probabilities: Float64Array
    right: BoolArray
    truth: Int64Array

    def reliability(self) -> list[Bin]:
        """Return the bars of the reliability diagram."""
        return reliability(self.probabilities, self.truth)

    def risk_coverage_curve(self, band: Band) -> list[RiskCoveragePoint]:
        """Return what share is decided at what accuracy."""
        return risk_coverage_curve(band, self.probabilities, self.truth)

    def roc(self) -> tuple[Float64Array, Float64Array]:
        """Return the ROC curve, false and true positive rate of damage, from (0, 0) to (1, 1)."""
        false, true, _ = roc_curve(self.truth, self.probabilities)
        return np.asarray(false, np.float64), np.asarray(true, np.float64)

    def decided(self, band: Band, groups: Int64Array, accuracy: float = 0.99, seed: int = 0) -> Interval:
        """Return the share that can be decided at this accuracy, with its 95 % interval by a bootstrap over inserts.

        The limits of the band are moved until the test predictions themselves have that accuracy, so that the share is
        the best that could be had. `groups` (n,) number the insert of every image; whole inserts are drawn with
        replacement (Efron and Tibshirani 1993, percentile interval), because the images of one are alike.
        """
        _, insert = np.unique(groups[self.rows], return_inverse=True)
        inserts = int(insert.max()) + 1
        order, stops = decision_order(band, self.probabilities)
        insert, right = insert[order], ((self.probabilities >= band.threshold) == (self.truth == 1))[order]
        rng = np.random.default_rng(seed)
        drawn = []
        for _ in range(RESAMPLES):
            times = np.bincount(rng.integers(0, inserts, inserts), minlength=inserts)[insert]
            decided, correct = np.cumsum(times)[stops], np.cumsum(times * right)[stops]
            enough = (decided > 0) & (correct >= accuracy * decided)
            drawn.append(decided[enough].max(initial=0) / decided[-1])
        low, high = np.percentile(drawn, [2.5, 97.5])
        share = coverage_at_accuracy(band, self.probabilities, self.truth, accuracy)
        return Interval(share, min(share, float(low)), max(share, float(high)))

    def over_time(self, captured: Sequence[datetime]) -> list[Period]:
        """Return accuracy by the time of capture of the n images, in periods of about equally many tested images."""
        tested = np.unique(self.rows)
        moments = np.array([captured[row].timestamp() for row in tested])
        count = min(PERIODS, max(1, len(tested) // FEWEST_IN_A_PERIOD)) if np.ptp(moments) >= SHORTEST else 1
        periods = []
        for part in np.array_split(tested[np.argsort(moments, kind="stable")], count):
            times = [captured[row] for row in part]
            right = self.right[np.isin(self.rows, part)]
            periods.append(Period(min(times), max(times), len(part), float(right.mean())))
        return periods


def pool(assessment: CrossValidation, labels: Int64Array) -> PooledPredictions:
    """Return the predictions of all splits of `assessment`, with the truth from `labels` (n,), 1 for damaged."""

    def joined(name: str) -> Any:
        return np.concatenate([getattr(split, name) for split in assessment.splits])

    rows: Int64Array = joined("rows")
    truth = labels[rows]
    return PooledPredictions(rows, joined("probabilities"), (joined("decisions") > 0) == (truth == 1), truth)
