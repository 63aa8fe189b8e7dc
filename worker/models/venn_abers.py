"""Checks a calibration by one that assumes nothing of its form: a Venn-Abers predictor.

Vovk and Petej (2014), "Venn-Abers predictors": a new decision value is put among those of known labels once as intact
and once as damaged, and an isotonic regression gives a probability of damage each time. One of the two is calibrated,
whatever the classifier is, where photographs are exchangeable; how far they are apart says how much the labels know.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from sklearn.isotonic import IsotonicRegression

from producer.runtime.arrays import Float64Array, Int64Array
from worker.models.calibration import Calibration
from worker.models.calibration_check import CalibrationCheck
from worker.models.unsure_band import Band

MOST_PHOTOGRAPHS: Final = 2_000
"""So many photographs are looked among, at most."""

LOOKED_AT: Final = 300
"""So many of them have an interval, at most: each takes two regressions."""


def interval(
    decision: float,
    decisions: Float64Array,
    labels: Int64Array,
    weights: Float64Array | None = None,
    weight: float = 1.0,
) -> tuple[float, float]:
    """Return the two probabilities of damage at a decision value, the lower first.

    `decisions` (n,) are those of photographs with `labels` (n,), 1 for damaged, which it is none of. They count by
    `weights` (n,), it by `weight`.
    """
    all_weights = np.append(np.ones(len(labels)) if weights is None else weights, weight)
    values = np.append(decisions, decision)
    ends = [
        float(
            IsotonicRegression(y_min=0, y_max=1)
            .fit(values, np.append(labels, label), all_weights)
            .predict([decision])[0]
        )
        for label in (0, 1)
    ]
    return min(ends), max(ends)


def check(
    calibration: Calibration,
    limits: Band,
    decisions: Float64Array,
    labels: Int64Array,
    groups: Int64Array,
    weights: Float64Array | None = None,
    seed: int = 0,
) -> CalibrationCheck:
    """Hold the probabilities of out-of-fold `decisions` (n,) against intervals from the decisions of other inserts.

    `labels` (n,) are 1 for damaged, `groups` (n,) number the inserts, `limits` decide. Of many photographs some are
    drawn at random. With `weights` (n,) they count as in the calibration, and those of weight 0 are left out.
    """
    weights = np.ones(len(decisions)) if weights is None else weights
    known = np.flatnonzero(weights)
    drawn = known[np.random.default_rng(seed).permutation(len(known))[:MOST_PHOTOGRAPHS]]
    decisions, labels, groups, weights = decisions[drawn], labels[drawn], groups[drawn], weights[drawn]
    rows = range(min(LOOKED_AT, len(decisions)))
    others = [groups != groups[row] for row in rows]
    ends = np.array(
        [
            interval(decisions[row], decisions[other], labels[other], weights[other], weights[row])
            for row, other in zip(rows, others, strict=True)
        ]
    )
    low, high = ends.T
    probabilities = calibration.probabilities(decisions[: len(low)])
    surely = (high < limits.lower) | (low >= limits.upper)
    return CalibrationCheck(
        photographs=len(low),
        width=float(np.median(high - low)),
        outside=float(np.maximum(0, np.maximum(low - probabilities, probabilities - high)).mean()),
        decided=float(limits.decided(probabilities).mean()),
        decided_by_both=float(surely.mean()),
    )
