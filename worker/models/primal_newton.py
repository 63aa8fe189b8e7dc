"""The linear SVM's primal problem, solved by Newton's method in passes over rows on disk, one block in memory.

It is libsvm's own problem, C-SVC with a hinge loss and an unpenalised intercept: the minimum of
½|w|² + Σ cᵢ max(0, 1 - yᵢ(w·xᵢ + b)). The hinge is smoothed (a parabola over ± δ at the kink), so that Newton's method
converges in few steps (Chapelle 2007, "Training a support vector machine in the primal"), and δ is quartered as soon
as most of the remaining gap is due to the smoothing. The derivative of the smoothed loss is a point of the dual
problem, so every pass also yields a duality gap, which is the stopping criterion.

A step takes two passes: one for the gradient and the Hessian, a matrix (d, d) that only the rows at the kink
contribute to, and one for the decision values of the direction; the line search then needs n numbers in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg.blas import ssyrk  # type: ignore[import-untyped]  # comes with scikit-learn
from scipy.linalg.lapack import spotrf, spotrs  # type: ignore[import-untyped]

from producer.runtime.arrays import Float32Array, Float64Array, Int64Array
from worker.models.linear_svm import ClassifierError

GAP = 1e-3
"""Relative duality gap at which a fit has converged."""

MOST_STEPS = 200
_BLOCK_BYTES = 32 * 2**20
_CURVATURE_ROWS = 4
"""Rows at the kink, as a multiple of d, that the Hessian is summed over at most: more only take longer."""


class NotSolved(ClassifierError):
    """A fit did not converge within `MOST_STEPS`; the message says how far it came."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and standard deviation (d,) of each feature over some rows."""

    mean: Float64Array
    deviation: Float64Array


@dataclass(frozen=True, eq=False)
class Plane:
    """A fitted plane, for features as they are: a row x has the decision value coef (d,) · x + intercept."""

    coef: Float64Array
    intercept: float


def moments(features: Any, rows: Int64Array) -> Moments:
    """Return mean and deviation of each feature over `rows`, in one pass over `features` (n, d)."""
    total, squares = np.zeros(features.shape[1]), np.zeros(features.shape[1])
    shift: Float32Array | None = None
    for _, block in _chosen(features, np.sort(rows)):
        shift = block[0].copy() if shift is None else shift  # against cancellation in the variance
        block = block - shift
        total += block.sum(axis=0, dtype=np.float64)
        squares += np.einsum("ij,ij->j", block, block, dtype=np.float64)
    mean = total / len(rows)
    deviation = np.sqrt(np.maximum(squares / len(rows) - mean**2, 0))
    return Moments(mean + (0 if shift is None else shift), deviation)


def solve(
    features: Any,
    rows: Int64Array,
    signs: Float64Array,
    costs: Float64Array,
    *,
    scale: Float64Array | None = None,
    gap: float = GAP,
) -> Plane:
    """Fit the plane to `rows` (m,), increasing, of `features` (n, d), an array or an open HDF5 dataset.

    `signs` (m,) are -1 or 1, `costs` (m,) each row's cᵢ; the norm |w| is that for features multiplied by `scale` (d,).
    Holds a block of rows, a float32 matrix (d, d), and some ten vectors (d,) and (m,).

    Raises:
        NotSolved: it does not converge.
        ClassifierError: a feature is not finite.
    """
    known = moments(features, rows)
    if not np.isfinite(known.deviation).all():
        raise ClassifierError("some features of the training rows are not finite")
    problem = _Problem(features, rows, signs, costs, known.mean, np.ones(len(known.mean)) if scale is None else scale)
    weights, intercept = np.zeros(features.shape[1]), 0.0
    slack = np.ones(len(rows))  # 1 - y(w·x + b): above 0 for rows inside their margin
    smoothing = 1.0
    best = np.inf
    for _ in range(MOST_STEPS):
        newton = problem.derivatives(slack, smoothing, weights, intercept)
        best = min(best, newton.gap)
        if newton.gap <= gap:
            coef = weights * problem.scale
            return Plane(coef, intercept - float(coef @ known.mean))
        direction, by_intercept = newton.step()
        change = signs * (problem.times(direction) + by_intercept)
        step = _step(slack, change, weights, direction, costs, smoothing)
        weights, intercept, slack = weights + step * direction, intercept + step * by_intercept, slack - step * change
        if newton.smoothed_gap < newton.gap / 2:  # most of what is left is the smoothing, not the steps
            smoothing /= 4
    raise NotSolved(f"after {MOST_STEPS} steps a fit is {best:.1e} from its optimum, not within {gap:.0e}")


def decide(features: Any, plane: Plane) -> Float64Array:
    """Return the decision values (n,) of every row of `features` (n, d), in one pass."""
    values = np.empty(features.shape[0])
    for start, block in blocks(features):
        values[start : start + len(block)] = np.einsum("ij,j->i", block, plane.coef, dtype=np.float64)
    return values + plane.intercept


def blocks(features: Any) -> Iterator[tuple[int, Float32Array]]:
    """Yield runs of whole rows as (first row, float32 array), each some 32 MB."""
    count, size = features.shape
    step = max(1, _BLOCK_BYTES // (4 * size))
    for start in range(0, count, step):
        yield start, np.asarray(features[start : min(start + step, count)], np.float32)


def _chosen(features: Any, rows: Int64Array) -> Iterator[tuple[slice, Float32Array]]:
    """The chosen rows of each block, with their places among `rows`."""
    for start, block in blocks(features):
        first, last = np.searchsorted(rows, (start, start + len(block)))
        if last > first:
            yield slice(first, last), block if last - first == len(block) else block[rows[first:last] - start]


@dataclass(frozen=True, eq=False)
class _Newton:
    """Gradient and Hessian at a point, and its relative duality gaps: of the hinge loss, and of the smoothed one.

    `by_weights` (d,) and `by_intercept` are the gradient. `curvature` holds the Hessian's upper triangle; `weight` is
    the intercept's own curvature and `middle` (d,) the weighted mean of the rows at the kink.
    """

    by_weights: Float64Array
    by_intercept: float
    curvature: Float32Array
    weight: float
    middle: Float64Array
    gap: float
    smoothed_gap: float

    def step(self) -> tuple[Float64Array, float]:
        """Return Newton's step in the weights and the intercept; overwrites the curvature, which is large."""
        weight = max(self.weight, 1e-12)
        right = -(self.by_weights - self.by_intercept * self.middle)
        factor, failed = spotrf(self.curvature, lower=0, overwrite_a=1)
        step = right if failed else np.asarray(spotrs(factor, right.astype(np.float32), lower=0)[0], np.float64)
        return step, -self.by_intercept / weight - float(self.middle @ step)


@dataclass(frozen=True, eq=False)
class _Problem:
    """The rows of one fit, centred by `mean` (d,) and multiplied by `scale` (d,)."""

    features: Any
    rows: Int64Array
    signs: Float64Array
    costs: Float64Array
    mean: Float64Array
    scale: Float64Array

    def _blocks(self) -> Iterator[tuple[slice, Float32Array]]:
        mean, scale = self.mean.astype(np.float32), self.scale.astype(np.float32)
        for places, block in _chosen(self.features, self.rows):
            block = block - mean
            block *= scale
            yield places, block

    def times(self, direction: Float64Array) -> Float64Array:
        """Return the inner products (m,) of the rows with a direction (d,)."""
        product = np.empty(len(self.rows))
        for places, block in self._blocks():
            product[places] = block @ direction.astype(np.float32)
        return product

    def derivatives(self, slack: Float64Array, smoothing: float, weights: Float64Array, intercept: float) -> _Newton:
        """Return gradient, Hessian and gaps at `weights` (d,) and `intercept`, where the rows have `slack` (m,)."""
        size = len(weights)
        inside = np.clip((slack + smoothing) / (2 * smoothing), 0, 1)  # the smoothed hinge's slope
        dual = self.costs * inside
        dual_gradient = (-self.signs * dual).astype(np.float32)
        curved = np.where(np.abs(slack) < smoothing, self.costs / (2 * smoothing), 0)
        curved = _thinned(curved, _CURVATURE_ROWS * size)
        gradient, middle = np.zeros(size), np.zeros(size)
        curvature = np.zeros((size, size), np.float32, order="F")
        for places, block in self._blocks():
            gradient += dual_gradient[places] @ block
            here = curved[places]
            kink = here > 0
            if kink.any():
                lengths = np.sqrt(here[kink]).astype(np.float32)
                part = block[kink]
                middle += here[kink].astype(np.float32) @ part
                part *= lengths[:, None]
                curvature = ssyrk(1.0, part.T, beta=1.0, c=curvature, overwrite_c=1)
        weight = float(curved.sum())
        if weight > 0:
            middle /= weight
            # The Schur complement of the intercept, which is not penalised.
            lengthened = (middle * np.sqrt(weight)).astype(np.float32)
            curvature = ssyrk(-1.0, lengthened[:, None], beta=1.0, c=curvature, overwrite_c=1)
        curvature[np.diag_indices(size)] += 1
        norm, by_intercept = float(weights @ weights) / 2, float(dual_gradient.sum(dtype=np.float64))
        primal = norm + float(self.costs @ np.maximum(slack, 0))
        smoothed = norm + float(self.costs @ _smoothed_hinge(slack, smoothing))
        # The dual point is feasible when both sides have the same weight; the difference is added to the gap.
        value = float(dual.sum()) - float(gradient @ gradient) / 2 - abs(by_intercept) * (1 + abs(intercept))
        more = smoothing * float(dual @ (1 - inside))
        return _Newton(
            weights + gradient,
            by_intercept,
            curvature,
            weight,
            middle,
            (primal - value) / primal,
            (smoothed - value - more) / primal,
        )


def _thinned(curved: Float64Array, most: int) -> Float64Array:
    """The curvature from at most `most` rows: evenly picked ones, scaled up to the weight of all."""
    kink = np.flatnonzero(curved)
    if len(kink) <= most:
        return curved
    kept = kink[np.linspace(0, len(kink) - 1, most).astype(np.int64)]
    thinned = np.zeros_like(curved)
    thinned[kept] = curved[kept] * (curved.sum() / curved[kept].sum())
    return thinned


def _smoothed_hinge(slack: Float64Array, smoothing: float) -> Float64Array:
    """The smoothed hinge: (z + δ)² / 4δ between -δ and δ, else max(0, z)."""
    inside = np.clip((slack + smoothing) / (2 * smoothing), 0, 1)
    return np.where(np.abs(slack) < smoothing, smoothing * inside**2, np.maximum(slack, 0))


def _step(
    slack: Float64Array,
    change: Float64Array,
    weights: Float64Array,
    direction: Float64Array,
    costs: Float64Array,
    smoothing: float,
) -> float:
    """Exact line search on the smoothed problem: bisection for the zero of its slope along the direction, which only
    grows."""
    level, growth = float(weights @ direction), float(direction @ direction)

    def slope(step: float) -> float:
        inside = np.clip((slack - step * change + smoothing) / (2 * smoothing), 0, 1)
        return level + step * growth - float((costs * change) @ inside)

    high = 1.0
    while slope(high) < 0 and high < 1e6:
        high *= 2
    low = 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return (low + high) / 2
