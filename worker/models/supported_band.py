"""An unsure band that is no narrower than what the labels support, and what may be promised of its decisions.

A limit of the band claims an error rate: of what lies below 0.05, no more than 5 % is damaged. Whether that is so, the
out-of-fold decisions say; of few inserts they cannot say much. Inserts are counted, not images, since the images of one
are alike.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from scipy.stats import beta  # type: ignore[import-untyped]  # comes with scikit-learn

from producer.runtime.arrays import BoolArray, Float64Array, Int64Array
from worker.models.error_bound import CONFIDENCE, GOAL, ErrorBound
from worker.models.unsure_band import Band

LIKELY: Final = 0.5
"""The confidence with which a limit must keep what it claims: more likely than not."""


def error_limit(wrong: Any, decided: Any, confidence: float = CONFIDENCE) -> Any:
    """Return the highest error rates that agree with `wrong` among `decided`, one-sided; 1 where all are wrong.

    Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of the binomial": the
    quantile of Beta(wrong + 1, decided - wrong). Without a wrong one it is 1 - (1 - confidence)^(1 / decided).
    """
    wrong, decided = np.asarray(wrong), np.asarray(decided)
    some = decided > wrong
    return np.where(some, beta.ppf(confidence, wrong + 1, np.where(some, decided - wrong, 1)), 1.0)


def supported(limits: Band, probabilities: Float64Array, labels: Int64Array, groups: Int64Array) -> Band:
    """Return `limits`, each moved outwards until the error beyond it is likely no higher than it claims.

    `probabilities` (n,) are out-of-fold, `labels` (n,) 1 for damaged, and `groups` (n,) number the inserts. Where no
    limit has that, nothing is decided on its side. A band that is empty stays so: there a look is never the cheapest.
    """
    if limits.lower == limits.upper:
        return limits
    lower = _moved(limits.lower, probabilities, labels == 1, groups)
    upper = _moved(1 - limits.upper, 1 - probabilities, labels == 0, groups)
    # What lies on a limit counts as damaged, so the upper one is moved past it.
    kept = upper == 1 - limits.upper
    return Band(lower, limits.threshold, limits.upper if kept else min(1.0, math.nextafter(1 - upper, 2)))


def _moved(limit: float, distances: Float64Array, wrong: BoolArray, groups: Int64Array) -> float:
    """The highest limit up to `limit` below which the error is likely no more than `limit`; 0 where there is none."""
    nearest, mistaken = _nearest(distances, groups), _nearest(distances[wrong], groups[wrong])
    places = np.append(distances[wrong & (distances < limit)], limit)
    errors = error_limit(np.searchsorted(mistaken, places), np.searchsorted(nearest, places), LIKELY)
    return float(places[errors <= limit].max(initial=0.0))


def _nearest(distances: Float64Array, groups: Int64Array) -> Float64Array:
    """The least distance of each insert, rising."""
    _, places = np.unique(groups, return_inverse=True)
    nearest = np.full(int(places.max(initial=-1)) + 1, np.inf)
    np.minimum.at(nearest, places, distances)
    return np.sort(nearest)


def error_bound(limits: Band, probabilities: Float64Array, labels: Int64Array, groups: Int64Array) -> ErrorBound:
    """Return what may be promised of the decisions of `limits`, by out-of-fold `probabilities` (n,) (see
    `supported`).
    """
    decided = limits.decided(probabilities)
    right = (probabilities >= limits.upper) == (labels == 1)
    inserts, count = len(np.unique(groups)), len(np.unique(groups[decided]))
    wrong = len(np.unique(groups[decided & ~right]))
    needed = _needed(wrong)
    missing = max(0, math.ceil((needed - count) * inserts / count)) if count else needed
    return ErrorBound(inserts, count, wrong, float(error_limit(wrong, count)), missing)


def _needed(wrong: int) -> int:
    """The fewest decided inserts, `wrong` of them wrongly, that promise `GOAL`."""
    low, high = wrong, 1_000 + 400 * wrong
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if error_limit(wrong, middle) <= GOAL else (middle, high)
    return high
