"""Values on one grid over an image, brought onto another grid over it."""

from __future__ import annotations

from functools import cache

import numpy as np

from producer.runtime.arrays import AnyArray, Float64Array


def spread(shares: AnyArray, rows: int, columns: int) -> Float64Array:
    """Return shares on another grid over the same image: each is divided among the cells that it covers."""
    return np.asarray(_overlaps(shares.shape[0], rows) @ shares @ _overlaps(shares.shape[1], columns).T)


@cache
def _overlaps(cells: int, onto: int) -> Float64Array:
    """The matrix (onto, cells) that divides what each of `cells` along a side has among the `onto` that it covers."""
    edges, others = np.arange(cells + 1) / cells, np.arange(onto + 1) / onto
    shared = np.minimum(edges[1:], others[1:, None]) - np.maximum(edges[:-1], others[:-1, None])
    return np.asarray(np.maximum(shared, 0) * cells, np.float64)
