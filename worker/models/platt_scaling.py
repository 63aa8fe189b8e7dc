"""Platt scaling: fits the calibration to decision values. scikit-learn is needed here, to judge it is not.

`SVC(probability=True)` is being removed from scikit-learn; its replacement is `CalibratedClassifierCV`, which is used
here on decision values that are out of fold already (a frozen estimator passes them through), so that the same values
serve the choice of C, the calibration and the report.
"""

from __future__ import annotations

import math
import warnings
from functools import cache
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from threadpoolctl import ThreadpoolController

from producer.runtime.arrays import Float64Array, Int64Array
from worker.models.calibration import Calibration, CalibrationError


def calibrate(decisions: Float64Array, labels: Int64Array, weights: Float64Array | None = None) -> Calibration:
    """Fit Platt's sigmoid to out-of-fold `decisions` (n,) of images with `labels` (n,), 1 for damaged.

    With `weights` (n,) each counts for so much, and those of weight 0 not at all.

    Platt's targets ((N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2) instead of 1 and 0) keep the slope finite where the two sides do
    not overlap.

    Raises:
        CalibrationError: only one side is among the labels, or a value is not finite.
    """
    if weights is not None:
        known = weights > 0
        decisions, labels, weights = decisions[known], labels[known], weights[known]
    if set(np.unique(labels).tolist()) != {0, 1}:
        raise CalibrationError("a calibration needs images of both sides, intact and damaged")
    if not np.isfinite(decisions).all():
        raise CalibrationError("some decision values are not finite")
    spread = float(np.abs(decisions).max()) or 1.0  # scikit-learn's optimiser is made for values of about 1
    every = np.arange(len(labels))
    fitted = CalibratedClassifierCV(FrozenEstimator(_passed_through()), method="sigmoid", cv=[(every, every)])
    # Its optimiser's matrices have two rows: threads only wait.
    with _libraries().limit(limits=1, user_api="blas"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Since FrozenEstimator")  # that the weights are for the sigmoid alone
        fitted.fit(decisions[:, None] / spread, labels, sample_weight=weights)
    sigmoid = fitted.calibrated_classifiers_[0].calibrators[0]
    slope, offset = -float(sigmoid.a_) / spread, -float(sigmoid.b_)
    if slope > 0:
        return Calibration(slope, offset)
    damaged, all_of_them = (
        (float((labels == 1).sum()), len(labels)) if weights is None else (weights[labels == 1].sum(), weights.sum())
    )
    return Calibration(0.0, math.log((damaged + 1) / (all_of_them - damaged + 1)))


def balanced_cut(calibration: Calibration, labels: Int64Array) -> float:
    """Return the decision value whose probability of damage would be one half if both sides were equally frequent.

    `calibration` was fitted with `labels` (n,): its log-odds hold theirs, which are taken off. 0 where the decision
    values carry no information.
    """
    if calibration.slope == 0:
        return 0.0
    damaged = int((labels == 1).sum())
    return (math.log(damaged / (len(labels) - damaged)) - calibration.offset) / calibration.slope


@cache
def _libraries() -> ThreadpoolController:
    """What computes in this process, found once: looking for it takes longer than a fit."""
    return ThreadpoolController()


def _passed_through() -> Any:
    """A fitted binary classifier whose decision value is its one feature."""
    classifier = LogisticRegression()
    classifier.classes_ = np.array([0, 1])
    classifier.coef_, classifier.intercept_, classifier.n_features_in_ = np.ones((1, 1)), np.zeros(1), 1
    return classifier
