"""What an evaluation draws its splits from: all labelled images, or of very many some whole inserts.

More of them say little more: with 20,000 images an accuracy is known to a fraction of a per cent. But each split takes
a training of its own, so that all of 100,000 would take the better part of an hour.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from producer.runtime.arrays import Int64Array
from worker.models.solver import PRIMAL_COLUMNS

MOST_ASSESSED: Final = 20_000
"""Most images that an evaluation draws its splits from."""


def assessed_rows(groups: Int64Array) -> Int64Array:
    """The rows (m,), rising, of images with inserts `groups` (n,) that splits are drawn from; always the same.

    All of up to `MOST_ASSESSED`; else as many whole inserts, drawn at random, as do not have more, one at least.
    """
    if len(groups) <= MOST_ASSESSED:
        return np.arange(len(groups))
    _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    drawn = np.random.default_rng(0).permutation(len(sizes))
    count = max(1, int(np.searchsorted(np.cumsum(sizes[drawn]), MOST_ASSESSED, side="right")))
    return np.flatnonzero(np.isin(places, drawn[:count]))


def rows_to_take(features: Any, groups: Int64Array) -> Int64Array | None:
    """`assessed_rows` of images with `features` (n, d), where these are not all of them; else None.

    Very many features that are too wide to be learned from are left to the solver, which says so.
    """
    rows = assessed_rows(groups)
    return rows if len(rows) < len(groups) and features.shape[1] <= PRIMAL_COLUMNS else None
