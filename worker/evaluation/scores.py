"""Scores of a set of decisions, and the confidence interval of a score over many splits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student  # type: ignore[import-untyped]  # comes with scikit-learn
from sklearn.metrics import confusion_matrix, roc_auc_score

from producer.runtime.arrays import Float64Array, Int64Array
from worker.models.calibration import Calibration, calibration_error
from worker.models.costs import Costs
from worker.models.unsure_band import Band, cost


@dataclass(frozen=True)
class Scores:
    """Scores on `images` with both sides among them; all but `cost` are between 0 and 1.

    `accuracy`, `balanced_accuracy` (mean of both recalls), `recall_damaged` and `confusion` (row truth, column
    prediction; intact, damaged) are those of the bare classifier, by the sign of its decision value; `auc` is the area
    under the ROC curve. `calibration_error` is of the probabilities, and `brier` their mean squared error. `decided` is
    the share that the band answers, `accuracy_decided` the accuracy among those (None where there are none), `missed`
    the share of the damaged that it calls intact, and `cost` the mean cost of its answers for an image, in units of the
    cost table.
    """

    images: int
    accuracy: float
    balanced_accuracy: float
    recall_damaged: float
    auc: float
    confusion: tuple[tuple[int, int], tuple[int, int]]
    calibration_error: float
    brier: float
    decided: float
    accuracy_decided: float | None
    missed: float
    cost: float


def scores(decisions: Float64Array, labels: Int64Array, calibration: Calibration, band: Band, costs: Costs) -> Scores:
    """Score `decisions` (n,) on images with `labels` (n,), 1 for damaged.

    Raises:
        ValueError: a side is missing among the labels.
    """
    if set(np.unique(labels).tolist()) != {0, 1}:
        raise ValueError("scores need images of both sides, intact and damaged")
    confusion = confusion_matrix(labels, decisions > 0, labels=[0, 1])
    recalls = np.diag(confusion) / confusion.sum(axis=1)
    probabilities = calibration.probabilities(decisions)
    decided = band.decided(probabilities)
    right = (probabilities >= band.upper) == (labels == 1)
    return Scores(
        images=len(labels),
        accuracy=float(np.trace(confusion) / len(labels)),
        balanced_accuracy=float(recalls.mean()),
        recall_damaged=float(recalls[1]),
        auc=float(roc_auc_score(labels, decisions)),
        confusion=((int(confusion[0, 0]), int(confusion[0, 1])), (int(confusion[1, 0]), int(confusion[1, 1]))),
        calibration_error=calibration_error(probabilities, labels),
        brier=float(((probabilities - labels) ** 2).mean()),
        decided=float(decided.mean()),
        accuracy_decided=float(right[decided].mean()) if decided.any() else None,
        missed=float((probabilities < band.lower)[labels == 1].mean()),
        cost=cost(band, costs, probabilities, labels),
    )


@dataclass(frozen=True)
class Interval:
    """Mean over the splits, and the confidence interval of the true value."""

    mean: float
    low: float
    high: float


def corrected_error(values: Sequence[float], tested_over_trained: float) -> float:
    """Return the standard error of the mean of `values` from repeated random splits of one set.

    The splits share images, so repetition alone would shrink the error to nothing: the variance is multiplied by 1/R +
    n_test/n_train instead of 1/R (Nadeau and Bengio 2003, "Inference for the generalization error").
    """
    if len(values) < 2:
        return math.inf
    return math.sqrt((1 / len(values) + tested_over_trained) * float(np.var(values, ddof=1)))


def interval(
    values: Sequence[float],
    tested_over_trained: float,
    confidence: float = 0.95,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """Return Student's t interval with `corrected_error`, cut to `limits`; one split alone has no spread."""
    mean, error = float(np.mean(values)), corrected_error(values, tested_over_trained)
    if math.isinf(error):
        return Interval(mean, *limits)
    half = float(student.ppf((1 + confidence) / 2, len(values) - 1)) * error
    return Interval(mean, max(limits[0], mean - half), min(limits[1], mean + half))
