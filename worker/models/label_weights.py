"""For how many verdicts of the line each label stands, by the chance with which it was offered for review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from producer.runtime.arrays import Float64Array, Int64Array

FEWEST_EACH: Final = 10
"""Labels by chance of each side, intact and damaged, that it takes to say how they are mixed on the line."""

FEWEST: Final = 30
"""Of both sides."""

MOST_VERDICTS: Final = 20.0
"""The most verdicts that one label stands for: a few labels of a rare chance must not decide alone."""


def label_weights(chances: Sequence[float | None], sides: Int64Array) -> Float64Array | None:
    """Return the weight (n,) of each label, with a mean of 1 over those by chance; None where these are too few.

    A label by chance stands for 1 / chance verdicts (Horvitz and Thompson 1952, "A generalization of sampling without
    replacement from a finite universe"). Others, whose chance is not known (None), have weight 0: what was imported, or
    chosen by what it looked like, says nothing of how frequent it is.

    Args:
        chances: with which each label's capture was offered for review.
        sides: (n,) 1 for damaged.
    """
    weights = np.array([0.0 if chance is None else min(1 / chance, MOST_VERDICTS) for chance in chances])
    by_chance = weights > 0
    counts = np.bincount(sides[by_chance], minlength=2)
    if counts.sum() < FEWEST or counts.min() < FEWEST_EACH:
        return None
    return np.asarray(weights / weights[by_chance].mean())
