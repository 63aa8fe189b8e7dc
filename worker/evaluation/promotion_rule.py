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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import binomtest  # type: ignore[import-untyped]  # comes with scikit-learn
from scipy.stats import t as student

from worker.evaluation.cross_validation import CrossValidation
from worker.evaluation.scores import corrected_error
from worker.runtime.arrays import Float64Array, Int64Array

LEVEL: Final = 0.05
MARGINS: Final = {"balanced_accuracy": 0.05, "recall_damaged": 0.05, "cost": math.inf}
"""How much worse the mean may be where it is not significant. The cost depends on single missed inserts, so that on few
images it shows little but chance."""

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
    reasons: tuple[str, ...]
    against: tuple[str, ...]


def decide(
    candidate: CrossValidation,
    champion: CrossValidation | None,
    newest: Newest | None = None,
    unopposed: str = "nobody is in charge yet",
) -> Decision:
    """Compare a candidate with the champion, both evaluated on the same splits.

    `champion` is None while there is none that can judge; `unopposed` is the sentence that says so. Pass the grouped
    results where there are several inserts: the plain ones are too good.

    Raises:
        ValueError: the two were not evaluated on the same splits.
    """
    said = [_above_chance(candidate)]
    if champion is None:
        said.append((True, unopposed))
    else:
        if [split.seed for split in candidate.splits] != [split.seed for split in champion.splits]:
            raise ValueError("candidate and champion were not assessed on the same splits")
        for name, sign in (("balanced_accuracy", 1), ("recall_damaged", 1), ("cost", -1)):
            said.append(_not_worse(candidate, champion, name, sign))
    if newest is not None and len(newest.labels):
        said += _on_newest(newest)
    return Decision(
        all(good for good, _ in said),
        tuple(sentence for _, sentence in said),
        tuple(sentence for good, sentence in said if not good),
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


def _p(chance: float) -> str:
    """A p-value in words; of splits that all agree the test makes 0, which so few cannot show."""
    return "p < 0.0001" if chance < 0.0001 else f"p = {chance:.2g}"


def _above_chance(candidate: CrossValidation) -> tuple[bool, str]:
    values = candidate.values("balanced_accuracy")
    mean = float(np.mean(values))
    chance = worse_by_chance([0.5 - value for value in values], candidate.tested_over_trained)
    if len(values) >= 2 and mean > 0.5 and chance < LEVEL:
        return True, f"its balanced accuracy, {mean:.3f} on splits by insert, is above guessing ({_p(chance)})"
    return False, f"its balanced accuracy, {mean:.3f} on splits by insert, is not above guessing ({_p(chance)})"


def _not_worse(candidate: CrossValidation, champion: CrossValidation, name: str, sign: int) -> tuple[bool, str]:
    ours, theirs = np.array(candidate.values(name)), np.array(champion.values(name))
    differences = sign * (ours - theirs)
    mean = float(differences.mean())
    chance = worse_by_chance(differences.tolist(), candidate.tested_over_trained)
    compared = f"{name.replace('_', ' ')} {ours.mean():.3f} against the champion's {theirs.mean():.3f}"
    if mean < 0 and chance < LEVEL:
        return False, f"{compared}: worse beyond chance ({_p(chance)})"
    if mean < -MARGINS[name]:
        return False, f"{compared}: worse by more than the margin of {MARGINS[name]}"
    return True, f"{compared}: not worse ({_p(chance)})"


def _on_newest(newest: Newest) -> list[tuple[bool, str]]:
    damaged = newest.labels == 1
    right = (newest.candidate > 0) == damaged
    said: list[tuple[bool, str]] = []
    if min(damaged.sum(), (~damaged).sum()) >= FEWEST_NEWEST:
        balanced = float((right[damaged].mean() + right[~damaged].mean()) / 2)
        word = "above" if balanced > 0.5 else "not above"
        said.append((balanced > 0.5, f"its balanced accuracy on the newest labels, {balanced:.3f}, is {word} guessing"))
    if newest.champion is not None:
        champion_right = (newest.champion > 0) == damaged
        for which, name in ((np.ones(len(damaged), bool), "newest labels"), (damaged, "newest damaged inserts")):
            worse = int((champion_right & ~right & which).sum())
            better = int((right & ~champion_right & which).sum())
            chance = float(binomtest(worse, worse + better, alternative="greater").pvalue) if worse + better else 1.0
            sentence = f"of {int(which.sum())} {name} it alone is right on {better}, the champion alone on {worse}"
            said.append((chance >= LEVEL, f"{sentence} ({_p(chance)})"))
    return said
