"""The learning curve: how good learning was with the first labels only, on the same test images as with all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from producer.runtime.arrays import Int64Array
from worker.evaluation.assessed_rows import rows_to_take
from worker.evaluation.cross_validation import UNKNOWN, CrossValidation, cross_validate_known
from worker.evaluation.scores import Interval
from worker.models.costs import Costs
from worker.models.solver import taken

SHARES: Final = (0.25, 0.5)
"""The shares of the labels, the first ones, that are learned from beside all of them."""

REPEATS: Final = 5
"""Splits for each share: enough to see where the curve goes."""


@dataclass(frozen=True)
class CurvePoint:
    """With so many labels learning has this balanced accuracy, which is measured on inserts it has not seen."""

    labels: int
    balanced_accuracy: Interval


def learning_curve(
    features: Any, labels: Int64Array, groups: Int64Array, review_ids: Int64Array, whole: CrossValidation, costs: Costs
) -> tuple[CurvePoint, ...]:
    """The curve by inserts, fewest labels first; a share that is too small to learn from has no point.

    `review_ids` (n,) orders the labels (n,) as they were given, and `whole` is the evaluation with all of them; of very
    many it is of those that `whole` was drawn from.
    """
    rows = rows_to_take(features, groups)
    if rows is not None:
        features, labels, groups, review_ids = taken(features, rows), labels[rows], groups[rows], review_ids[rows]
    order = np.argsort(review_ids, kind="stable")
    points = []
    for share in SHARES:
        count = round(share * len(labels))
        known = np.full(len(labels), UNKNOWN, np.int64)
        known[order[:count]] = labels[order[:count]]
        measured = cross_validate_known(features, labels, groups, known, costs=costs, repeats=REPEATS)
        points += _point(count, measured)
    return (*points, *_point(len(labels), whole))


def _point(count: int, measured: CrossValidation | None) -> list[CurvePoint]:
    interval = measured.interval("balanced_accuracy") if measured is not None else None
    return [CurvePoint(count, interval)] if interval is not None else []
