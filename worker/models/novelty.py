"""How unlike everything that was learnt from a photograph is, by the distance to its nearest learnt neighbours.

A classifier answers for any features at all, also for those of a photograph the like of which it has never seen. The
mean cosine distance to the nearest learnt photographs tells these (Sun et al. 2022, "Out-of-distribution detection with
deep nearest neighbors"); how far is far, the learnt photographs say themselves: each one's distance to those of all
other inserts. A few that are far from all others, such as the first of another station, do not say it: one label would
have much of that kind decided. Plain NumPy, for the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from producer.contract.reasons import models
from producer.contract.reasons.template import Reason
from producer.runtime.arrays import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array
from worker.models.linear_svm import ClassifierError

NEIGHBOURS: Final = 5
"""The nearest learnt photographs that a distance is the mean over; fewer where fewer are kept."""

LEVEL: Final = 0.01
"""The share of photographs like the learnt ones that may be called novel."""

OUTLYING: Final = 2.0
"""By how many interquartile ranges above the upper quartile a learnt photograph is an outlier: it counts as a
neighbour, and says as little of what is usual as the farthest of the others."""

MOST_KEPT: Final = 1_000
"""Most learnt photographs that are kept: the file stays below 8 MB, and a look takes a tenth of a millisecond."""

MOST_COLUMNS: Final = 2_000
"""Longer features are folded to this length, each with a random sign, which keeps distances to a few per cent."""

_ROUNDING: Final = 1e-5
"""Distances that differ by less are equal: features are of single precision."""

_IN_CACHE: Final = 100
"""Learnt photographs that are looked at together: less than a megabyte."""

_BLOCK: Final = 64
"""Rows that are read at once: a backbone without pooling has megabytes in each."""


@dataclass(frozen=True, eq=False)
class Novelty:
    """The learnt photographs that a new one is held against.

    `learnt` (m, c) are their features, folded and of length 1. `distances` (m,), rising, are those of each to its
    nearest neighbours of other inserts, none larger than the largest that is no outlier. `signs` (d,) of 1 and -1 fold
    features (d,); None where they are taken as they are.
    """

    learnt: Float32Array
    distances: Float64Array
    signs: Any = None

    def __post_init__(self) -> None:
        if self.learnt.ndim != 2 or self.distances.shape != (len(self.learnt),) or len(self.learnt) < 2:
            raise ClassifierError(
                f"novelty needs the distance of each learnt photograph, not {self.distances.shape} of them for "
                f"{self.learnt.shape}"
            )
        if not (np.isfinite(self.learnt).all() and np.isfinite(self.distances).all()):
            raise ClassifierError("the learnt photographs hold numbers that are not finite")

    @property
    def kept(self) -> int:
        """How many learnt photographs there are to hold a new one against."""
        return len(self.distances)

    @property
    def false_alarms(self) -> float:
        """The share of photographs like the learnt ones that is called novel.

        This is `LEVEL`, and more where so few are kept that being farther than every one of them is no rarer.
        """
        return max(LEVEL, 1 / (self.kept + 1))

    @cached_property
    def limit(self) -> float:
        """The distance above which a photograph is novel: of the learnt ones, hardly any is as far."""
        rank = int(np.floor(self.false_alarms * (self.kept + 1) + 1e-9))
        return float(self.distances[self.kept - rank])

    def distances_of(self, features: Float32Array) -> Float64Array:
        """Return the mean cosine distances (n,) of finite features (n, d) to the nearest learnt ones, each 0 to 2."""
        if self.signs is None and features.shape[1] != self.learnt.shape[1]:
            raise ClassifierError(f"novelty is for {self.learnt.shape[1]} features, not {features.shape[1]}")
        # As long as those that were learnt, which `MOST_COLUMNS` has not always been.
        rows = _of_length_one(features, self.signs, self.learnt.shape[1])
        alike = np.empty((len(rows), self.kept), np.float32)
        # What was learnt is more than the processor's cache holds: all photographs are held against a part of it before
        # the next. BLAS, in one thread: a worker's processes have it so (`worker.runtime.process`).
        for start in range(0, self.kept, _IN_CACHE):
            part = slice(start, start + _IN_CACHE)
            for row, cosines in zip(rows, alike, strict=True):
                np.dot(self.learnt[part], row, out=cosines[part])
        return _mean_of_nearest(1 - alike)

    def reasons(self, features: Float32Array) -> list[Reason | None]:
        """Return why each of some features (n, d) is unlike anything learnt; None where it is not."""
        return [
            None if distance <= self.limit + _ROUNDING else models.UNLIKE(distance=distance, limit=self.limit)
            for distance in self.distances_of(features).tolist()
        ]


def learnt_novelty(features: Any, groups: Int64Array, *, seed: int = 0) -> Novelty | None:
    """Return what tells novel photographs from `features` (n, d), an array or an open HDF5 dataset.

    `groups` (n,) number the inserts. Of more than `MOST_KEPT` rows that many are drawn at random; the same arguments
    draw the same. None where all are of one insert, or all have the same features.
    """
    rows = np.arange(len(groups))
    rng = np.random.default_rng(seed)
    if len(rows) > MOST_KEPT:
        rows = np.sort(rng.choice(len(rows), MOST_KEPT, replace=False))
    columns = int(features.shape[1])
    signs = None if columns <= MOST_COLUMNS else rng.choice(np.array([-1, 1], np.int8), columns)
    learnt = np.concatenate(
        [
            _of_length_one(np.asarray(features[rows[start : start + _BLOCK]], np.float32), signs, MOST_COLUMNS)
            for start in range(0, len(rows), _BLOCK)
        ]
    )
    same = groups[rows][:, None] == groups[rows][None]
    if same.all():
        return None
    distances = _without_outliers(np.sort(_mean_of_nearest(1 - (learnt @ learnt.T).astype(np.float64), same)))
    return Novelty(learnt, distances, signs) if distances[-1] > _ROUNDING else None


def _without_outliers(distances: Float64Array) -> Float64Array:
    lower, upper = np.percentile(distances, (25, 75))
    usual = distances[distances <= upper + OUTLYING * (upper - lower)]
    return np.asarray(np.minimum(distances, usual.max()), np.float64)


def _of_length_one(features: AnyArray, signs: Any, columns: int) -> Float32Array:
    """The features (n, d), folded to `columns` by `signs` (d,) where there are any, each row divided by its length."""
    folded = np.asarray(features, np.float32)
    if signs is not None:
        if signs.shape != folded.shape[1:]:
            raise ClassifierError(f"novelty is for {len(signs)} features, not {folded.shape[1]}")
        padded = np.pad(folded * signs, ((0, 0), (0, -folded.shape[1] % columns)))
        folded = padded.reshape(len(padded), -1, columns).sum(axis=1, dtype=np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", folded, folded, dtype=np.float64))[:, None]
    return np.asarray(folded / np.where(lengths > 0, lengths, 1), np.float32)


def _mean_of_nearest(distances: AnyArray, left_out: BoolArray | None = None) -> Float64Array:
    """The mean (n,) of the least `NEIGHBOURS` of each row of `distances` (n, m), without those that are `left_out`."""
    if left_out is None:
        count = min(NEIGHBOURS, distances.shape[1])
        return np.asarray(np.partition(distances, count - 1, axis=1)[:, :count].mean(axis=1), np.float64)
    nearest = np.sort(np.where(left_out, np.inf, distances), axis=1)[:, :NEIGHBOURS]
    known = np.isfinite(nearest)
    return np.asarray(np.where(known, nearest, 0).sum(axis=1) / known.sum(axis=1).clip(1), np.float64)
