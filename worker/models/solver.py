"""Chooses the solver by the shape of the features: one Gram matrix for few rows, passes over the rows for many.

Both solve the same problem (the linear SVM, balanced by class), and agree where both can be used. The Gram matrix (n,
n) serves any number of columns; the primal solver any number of rows, but holds a matrix (d, d). Features that are both
long and wide are refused: pooled features (`+gap`) of the same layer are not wide.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from producer.runtime.arrays import Float32Array, Float64Array, Int64Array
from worker.models import primal_newton
from worker.models.gram_svm import fit_gram, gram, primal, require_two_classes
from worker.models.linear_svm import ClassifierError
from worker.models.primal_newton import Moments, Plane, blocks, moments

GRAM_ROWS = 6_000
"""Most rows for the Gram matrix: it and its copies stay below 1 GB."""

PRIMAL_COLUMNS = 8_192
"""Most columns for the primal solver: its matrix is then 256 MB at most."""

WIDEST_GRAM_ROWS = 20_000
"""Most rows for the Gram matrix where the features are too wide for the primal solver (3.2 GB)."""

STANDARDISED_COLUMNS = 16_384
"""Most columns that are standardised: each training part then needs a Gram matrix of its own."""


class Solver(ABC):
    """Fits on some rows of its features (n, d); `labels` (m,) are 0 or 1, `scale` multiplies the columns."""

    def __init__(self, features: Any):
        self._features = features

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the features."""
        return int(self._features.shape[0]), int(self._features.shape[1])

    def moments(self, rows: Int64Array) -> Moments:
        """Mean and deviation of each feature over `rows` (m,)."""
        return moments(self._features, rows)

    @abstractmethod
    def spread(self, rows: Int64Array) -> float:
        """Mean squared distance of `rows` (m,) from their mean."""

    @abstractmethod
    def decide(self, rows: Int64Array, labels: Int64Array, C: float, scale: Float64Array | None) -> Float64Array:  # noqa: N803
        """Fit on `rows` and return the decision values (n,) of every row."""

    @abstractmethod
    def plane(self, rows: Int64Array, labels: Int64Array, C: float, scale: Float64Array | None) -> Plane:  # noqa: N803
        """Fit on `rows` and return the plane, for features as they are."""


def solver_for(features: Any) -> Solver:
    """Return the solver for `features` (n, d), an array or an open HDF5 dataset.

    Raises:
        ClassifierError: they are too many and too wide, or (with few rows) not finite.
    """
    rows, columns = features.shape
    if rows <= GRAM_ROWS or (columns > PRIMAL_COLUMNS and rows <= WIDEST_GRAM_ROWS):
        return GramSolver(features)
    if columns > PRIMAL_COLUMNS:
        raise ClassifierError(
            f"{rows:,} images with {columns:,} features each are too many to learn from at once: take a backbone with "
            f"pooled features (its name with +gap) or one of at most {PRIMAL_COLUMNS:,} features"
        )
    return PrimalSolver(features)


class GramSolver(Solver):
    """libsvm on inner products; holds one matrix (n, n), and one more while features are standardised."""

    def __init__(self, features: Any):
        super().__init__(features)
        self._kernel = gram(features)
        self._scaled: tuple[Float64Array, Float64Array] | None = None

    def spread(self, rows: Int64Array) -> float:
        """Mean squared distance of `rows` (m,) from their mean."""
        kernel = self._kernel[np.ix_(rows, rows)]
        return max(0.0, float(np.diag(kernel).mean() - kernel.mean()))

    def decide(self, rows: Int64Array, labels: Int64Array, C: float, scale: Float64Array | None) -> Float64Array:  # noqa: N803
        """Fit on `rows` and return the decision values (n,) of every row."""
        kernel = self._inner(scale)
        svm = fit_gram(kernel[np.ix_(rows, rows)], labels, C=C)
        return np.asarray(svm.decision_function(kernel[:, rows]), np.float64)

    def plane(self, rows: Int64Array, labels: Int64Array, C: float, scale: Float64Array | None) -> Plane:  # noqa: N803
        """Fit on `rows` and return the plane, for features as they are."""
        svm = fit_gram(self._inner(scale)[np.ix_(rows, rows)], labels, C=C)
        model = primal(svm, self._features, ("0", "1"), rows)
        coef = model.coef[0].astype(np.float64) * (1 if scale is None else scale**2)
        return Plane(coef, float(model.intercept[0]))

    def _inner(self, scale: Float64Array | None) -> Float64Array:
        if scale is None:
            return self._kernel
        if self._scaled is None or self._scaled[0] is not scale:
            self._scaled = None
            self._scaled = (scale, gram(_Scaled(self._features, scale)))
        return self._scaled[1]


class PrimalSolver(Solver):
    """Passes over rows on disk; holds a block of them and a matrix (d, d)."""

    def spread(self, rows: Int64Array) -> float:
        """Mean squared distance of `rows` (m,) from their mean."""
        return float((self.moments(rows).deviation ** 2).sum())

    def decide(self, rows: Int64Array, labels: Int64Array, C: float, scale: Float64Array | None) -> Float64Array:  # noqa: N803
        """Fit on `rows` and return the decision values (n,) of every row."""
        return primal_newton.decide(self._features, self.plane(rows, labels, C, scale))

    def plane(self, rows: Int64Array, labels: Int64Array, C: float, scale: Float64Array | None) -> Plane:  # noqa: N803
        """Fit on `rows` and return the plane, for features as they are."""
        require_two_classes(labels)
        order = np.argsort(rows)
        labels = labels[order]
        weights = len(labels) / (2 * np.bincount(labels, minlength=2))
        costs: Float64Array = np.asarray(C * weights[labels], np.float64)
        signs: Float64Array = np.where(labels == 1, 1.0, -1.0)
        return primal_newton.solve(self._features, rows[order], signs, costs, scale=scale)


def narrowed(whole: Solver, features: Any, rows: Int64Array) -> tuple[Solver, Int64Array]:
    """Return a solver for trials on a few `rows` (m,) of `features`, and the places of these rows in it."""
    if isinstance(whole, GramSolver):
        return whole, rows
    return GramSolver(taken(features, rows)), np.arange(len(rows))


def taken(features: Any, rows: Int64Array) -> Float32Array:
    """Return `rows` (m,) of `features` (n, d), in memory; they are read in blocks, in the order of the disk."""
    kept = np.empty((len(rows), features.shape[1]), np.float32)
    order = np.argsort(rows)
    for start, block in blocks(features):
        first, last = np.searchsorted(rows[order], (start, start + len(block)))
        kept[order[first:last]] = block[rows[order[first:last]] - start]
    return kept


@dataclass(frozen=True, eq=False)
class _Scaled:
    """Features times `scale` (d,), as `gram` reads them: by blocks of columns."""

    features: Any
    scale: Float64Array

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.features.shape[0]), int(self.features.shape[1])

    def __getitem__(self, key: tuple[slice, slice]) -> Float64Array:
        return np.asarray(self.features[key] * self.scale[key[1]], np.float64)
