"""How well a backbone's features tell intact from damaged, on one labelled set: scores by kind of split, and a choice.

The whole procedure of learning is measured, as `worker.evaluation.cross_validation` does. Backbones that were measured
on the same splits are compared split by split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from db.schema.column_words import SplitKind
from producer.runtime.arrays import Float64Array, Int64Array
from worker.evaluation.cross_validation import CrossValidation
from worker.evaluation.pooled_predictions import PooledPredictions, pool
from worker.evaluation.promotion_rule import LEVEL, worse_by_chance
from worker.evaluation.scores import Interval
from worker.models.costs import Costs
from worker.models.unsure_band import band

SHOWN: Final = ("balanced_accuracy", "auc", "recall_damaged", "brier")
"""The scores that each split has."""

_NEVER: Final = 1e-6
"""Probabilities are kept this far from 0 and 1, where their logit is infinite."""


@dataclass(frozen=True, eq=False)
class BackboneScores:
    """The scores of one backbone by one kind of split.

    `slope` is that of the calibration over all test predictions: 1 is right, below 1 the probabilities are too bold,
    above too timid. `decided` maps an accuracy to the share of images that can be decided at it, with its interval.
    """

    cross_validation: CrossValidation
    predictions: PooledPredictions
    slope: float
    decided: Mapping[float, Interval]

    def interval(self, name: str) -> Interval | None:
        """Return the mean over the splits and the 95 % interval of one of `SHOWN`."""
        return self.cross_validation.interval(name)

    def as_json(self) -> dict[str, Any]:
        """Return them for programs: means, `intervals` (95 %) beside them, and each of the `splits`."""
        measured = {name: self.interval(name) for name in SHOWN}
        return {
            **{name: None if score is None else score.mean for name, score in measured.items()},
            "slope": self.slope,
            **{f"decided_{accuracy * 100:.0f}": share.mean for accuracy, share in self.decided.items()},
            "intervals": {
                **{name: [score.low, score.high] for name, score in measured.items() if score is not None},
                **{f"decided_{accuracy * 100:.0f}": [s.low, s.high] for accuracy, s in self.decided.items()},
            },
            "splits": [
                {"seed": split.seed, "images": split.scores.images}
                | {name: getattr(split.scores, name) for name in SHOWN}
                for split in self.cross_validation.splits
            ],
        }


def backbone_scores(cross_validation: CrossValidation, labels: Int64Array, groups: Int64Array) -> BackboneScores:
    """Return the scores of `cross_validation` on images with `labels` (n,), 1 for damaged, of inserts `groups` (n,)."""
    predictions = pool(cross_validation, labels)
    limits = band(Costs())
    return BackboneScores(
        cross_validation,
        predictions,
        calibration_slope(predictions.probabilities, predictions.truth),
        {accuracy: predictions.decided(limits, groups, accuracy) for accuracy in (0.95, 0.99)},
    )


def calibration_slope(probabilities: Float64Array, labels: Int64Array) -> float:
    """Return the slope of a logistic regression of `labels` (n,) on the log-odds that were said (Cox 1958).

    Where two sides do not overlap at all there is no finite slope, and a large one is returned.
    """
    kept = np.clip(probabilities, _NEVER, 1 - _NEVER)
    log_odds = np.log(kept / (1 - kept))
    return float(LogisticRegression(C=1e6, max_iter=1000).fit(log_odds[:, None], labels).coef_[0, 0])


def no_worse(scores: Mapping[str, Sequence[CrossValidation]], score: str = "balanced_accuracy") -> list[str]:
    """Return the backbones that no other one beats beyond chance on any of the labelled sets, the best first.

    `scores` has for each backbone the results on the same sets, and by the same splits; the test is the corrected
    resampled t-test of `worker.evaluation.promotion_rule`, one-sided. The best has the highest mean over the sets.
    """
    means = {name: float(np.mean([np.mean(one.values(score)) for one in sets])) for name, sets in scores.items()}
    order = sorted(means, key=lambda name: -means[name])
    best = scores[order[0]]
    return [
        name
        for name in order
        if not any(_beaten(theirs, champion, score) for theirs, champion in zip(scores[name], best, strict=True))
    ]


def _beaten(ours: CrossValidation, theirs: CrossValidation, score: str) -> bool:
    differences = np.array(ours.values(score)) - np.array(theirs.values(score))
    return float(differences.mean()) < 0 and worse_by_chance(differences.tolist(), ours.tested_over_trained) < LEVEL


Measured = Mapping[SplitKind, BackboneScores]
"""The scores by kind of split, as far as there are any."""
