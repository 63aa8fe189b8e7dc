"""The promotion rule: whether a candidate replaces the champion. Pure: measurements in, a decision with reasons out.

1. It is better than guessing: its balanced accuracy is significantly above 0.5.
2. It is not worse than the champion on the same splits, in balanced accuracy, recall of damaged and cost: the mean of
   the paired differences is neither significantly worse nor worse by more than its margin in `MARGINS`, whatever the
   significance.
3. It is not worse on the newest labels, which neither was fitted on: among the images where only one of the two is
   right, that is not significantly more often the champion, over all of them and over the damaged ones; and its
   balanced accuracy there is above 0.5.

Significance is one-sided at `LEVEL`: over splits the corrected resampled t-test (Nadeau and Bengio 2003, "Inference for
the generalization error"), over images the exact test of McNemar (1947).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import binomtest  # type: ignore[import-untyped]  # comes with scikit-learn
from scipy.stats import t as student

from producer.contract.reasons import promotion as why
from producer.contract.reasons.template import Reason, Template
from producer.runtime.arrays import Float64Array, Int64Array
from worker.evaluation.cross_validation import CrossValidation
from worker.evaluation.scores import corrected_error

LEVEL: Final = 0.05
MARGINS: Final = {"balanced_accuracy": 0.05, "recall_damaged": 0.05, "cost": math.inf}
"""How much worse the mean may be where it is not significant. The cost depends on single missed inserts, so that on few
images it shows little but chance."""

SCORES: Final[Mapping[str, Template]] = {
    "balanced_accuracy": why.BALANCED_ACCURACY,
    "recall_damaged": why.RECALL_DAMAGED,
    "cost": why.COST,
}
"""What the scores that are compared are called."""

FEWEST_NEWEST: Final = 10
"""Fewest newest images of each side for the candidate to have to be better than guessing on them."""


@dataclass(frozen=True, eq=False)
class Newest:
    """Images that neither model was fitted on: `labels` (n,), 1 for damaged, and both models' decision values (n,).

    `champion` is None while there is none.
    """

    labels: Int64Array
    candidate: Float64Array
    champion: Float64Array | None


@dataclass(frozen=True)
class Decision:
    """Whether the candidate is promoted, with all sentences that say why; `against` are those against it."""

    promote: bool
    reasons: tuple[Reason, ...]
    against: tuple[Reason, ...]


def decide(
    candidate: CrossValidation,
    champion: CrossValidation | None,
    newest: Newest | None = None,
    unopposed: Reason = why.UNOPPOSED(),  # noqa: B008 - it never changes
) -> Decision:
    """Compare a candidate with the champion, both evaluated on the same splits.

    `champion` is None while there is none that can judge; `unopposed` is the sentence that says so. Pass the grouped
    results where there are several inserts: the plain ones are too good.

    Raises:
        ValueError: the two were not evaluated on the same splits.
    """
    reasons = [_above_chance(candidate)]
    if champion is None:
        reasons.append((True, unopposed))
    else:
        if [split.seed for split in candidate.splits] != [split.seed for split in champion.splits]:
            raise ValueError("candidate and champion were not assessed on the same splits")
        for name, sign in (("balanced_accuracy", 1), ("recall_damaged", 1), ("cost", -1)):
            reasons.append(_not_worse(candidate, champion, name, sign))
    if newest is not None and len(newest.labels):
        reasons += _on_newest(newest)
    return Decision(
        all(good for good, _ in reasons),
        tuple(sentence for _, sentence in reasons),
        tuple(sentence for good, sentence in reasons if not good),
    )


def worse_by_chance(differences: Sequence[float], tested_over_trained: float) -> float:
    """Return the p-value of differences (better > 0) at least as bad if there is none in truth; one-sided corrected
    t-test.

    1 where the differences are all 0 or there are fewer than two of them and nothing can be said.
    """
    mean, error = float(np.mean(differences)), corrected_error(differences, tested_over_trained)
    if error == 0:
        return 0.0 if mean < 0 else 1.0
    return float(student.cdf(mean / error, len(differences) - 1)) if np.isfinite(error) else 1.0


def _p(chance: float) -> Reason:
    """A p-value in words; of splits that all agree the test makes 0, which so few cannot show."""
    return why.HARDLY_CHANCE() if chance < 0.0001 else why.CHANCE(chance=chance)


def _above_chance(candidate: CrossValidation) -> tuple[bool, Reason]:
    values = candidate.values("balanced_accuracy")
    mean = float(np.mean(values))
    chance = worse_by_chance([0.5 - value for value in values], candidate.tested_over_trained)
    above = len(values) >= 2 and mean > 0.5 and chance < LEVEL
    return above, (why.ABOVE_GUESSING if above else why.NOT_ABOVE_GUESSING)(mean=mean, chance=_p(chance))


def _not_worse(candidate: CrossValidation, champion: CrossValidation, name: str, sign: int) -> tuple[bool, Reason]:
    ours, theirs = np.array(candidate.values(name)), np.array(champion.values(name))
    differences = sign * (ours - theirs)
    mean = float(differences.mean())
    chance = worse_by_chance(differences.tolist(), candidate.tested_over_trained)
    compared = {"score": SCORES[name](), "ours": float(ours.mean()), "theirs": float(theirs.mean())}
    if mean < 0 and chance < LEVEL:
        return False, why.WORSE(**compared, chance=_p(chance))
    if mean < -MARGINS[name]:
        return False, why.WORSE_BY_MARGIN(**compared, margin=MARGINS[name])
    return True, why.NOT_WORSE(**compared, chance=_p(chance))


def _on_newest(newest: Newest) -> list[tuple[bool, Reason]]:
    damaged = newest.labels == 1
    right = (newest.candidate > 0) == damaged
    reasons: list[tuple[bool, Reason]] = []
    if min(damaged.sum(), (~damaged).sum()) >= FEWEST_NEWEST:
        balanced = float((right[damaged].mean() + right[~damaged].mean()) / 2)
        above = balanced > 0.5
        reasons.append((above, (why.NEWEST_ABOVE_GUESSING if above else why.NEWEST_NOT_ABOVE_GUESSING)(mean=balanced)))
    if newest.champion is not None:
        champion_right = (newest.champion > 0) == damaged
        for which, sentence in ((np.ones(len(damaged), bool), why.NEWEST), (damaged, why.NEWEST_DAMAGED)):
            worse = int((champion_right & ~right & which).sum())
            better = int((right & ~champion_right & which).sum())
            chance = float(binomtest(worse, worse + better, alternative="greater").pvalue) if worse + better else 1.0
            counts = {"count": int(which.sum()), "better": better, "worse": worse}
            reasons.append((chance >= LEVEL, sentence(**counts, chance=_p(chance))))
    return reasons
