"""The linear SVM: fitted on one Gram matrix, evaluated with one dot product.

A linear SVM depends on its data only through inner products, so the matrix of all of them, `X Xᵀ`, serves every split
and every repeat. The solver is libsvm through scikit-learn's `SVC`, exactly as in the lab's recipe; only the source of
the inner products differs.

Why the sums are in float64: scikit-learn turns the features into float64 before libsvm multiplies them, and the
predictions must be the same. Measured on 194 photographs × 401,408 features of `mobilenet:conv1_relu` on two cores:
float64 sums take 0.29 s; float32 sums 0.18 s, but move decision values by up to 6e-4 (blocks of 4,096 columns) or 2e-3
(one product), and the image nearest to the border is 4.6e-4 from it. A tenth of a second is not worth that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.svm import SVC

from worker.runtime.arrays import AnyArray, Float32Array, Float64Array, Int64Array

_BLOCK_BYTES = 64 * 2**20
"""Bytes of one float64 block of features: large enough for full BLAS speed, small beside the features."""


class ClassifierError(ValueError):
    """The features or labels cannot be fitted or judged; the message says what is wrong with them."""


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A linear SVM in primal form.

    `classes` are the k class names in label order; `coef` (p, d) and `intercept` (p,) the p separating planes: p = 1
    for two classes, else k(k-1)/2 one-versus-one planes in libsvm's order (0-1, 0-2, …, 1-2, …).
    """

    classes: tuple[str, ...]
    coef: Float32Array
    intercept: Float64Array

    def __post_init__(self) -> None:
        planes = _planes(len(self.classes))
        if self.coef.ndim != 2 or self.coef.shape[0] != planes or self.intercept.shape != (planes,):
            raise ClassifierError(
                f"{len(self.classes)} classes need {planes} planes, not coefficients of shape {self.coef.shape} "
                f"with intercepts of shape {self.intercept.shape}"
            )
        if not (np.isfinite(self.coef).all() and np.isfinite(self.intercept).all()):
            raise ClassifierError("the model holds numbers that are not finite")

    @property
    def feature_size(self) -> int:
        """Length d of the feature vector that the model judges."""
        return int(self.coef.shape[1])

    def decision(self, features: AnyArray) -> Float64Array:
        """Return the decision values (n, p) of `features` (n, d), in units of the margin, signed as by scikit-learn.

        Two classes: above 0 means class 1. More: column for the pair (i, j), above 0 means class i.

        Raises:
            ClassifierError: the features have another length or are not finite.
        """
        if features.ndim != 2 or features.shape[1] != self.feature_size:
            raise ClassifierError(
                f"the model judges vectors of {self.feature_size} features, not arrays of shape {features.shape}"
            )
        # Not BLAS: einsum sums float32 in float64 without a copy, and starts no threads in a worker that has many
        # of its own (one vector of 401,408 on a busy machine: 0.4 ms against 5 ms).
        products = np.einsum("ij,kj->ik", features, self.coef, dtype=np.float64, casting="same_kind")
        values: Float64Array = products + self.intercept
        if not np.isfinite(values).all():
            raise ClassifierError("the features hold numbers that are not finite")
        return values

    def predict(self, features: AnyArray) -> Int64Array:
        """Return class indices (n,) of `features` (n, d); one-versus-one votes, ties to the lower class, as libsvm."""
        return votes(self.decision(features), len(self.classes))


def votes(decision: Float64Array, classes: int) -> Int64Array:
    """Return class indices (n,) for decision values (n, p) by libsvm's rule (`svm_predict_values` in its svm.cpp)."""
    if classes == 2:
        return np.asarray(decision[:, 0] >= 0, np.int64)
    count = np.zeros((len(decision), classes), np.int64)
    for plane, (first, second) in enumerate(zip(*np.triu_indices(classes, 1), strict=True)):
        for_first = decision[:, plane] > 0
        count[:, first] += for_first
        count[:, second] += ~for_first
    return np.asarray(count.argmax(axis=1), np.int64)


def gram(features: Any) -> Float64Array:
    """Return the inner products (n, n) of all rows of `features` (n, d), an array or an open HDF5 dataset.

    It streams over blocks of columns: beside the result (8 n² bytes, twice) it holds some 100 MB, however large d is.

    Raises:
        ClassifierError: a feature is not finite.
    """
    n, size = features.shape
    total = np.zeros((n, n))
    product = np.empty_like(total)
    for columns in _column_blocks(n, size):
        block = np.ascontiguousarray(features[:, columns], dtype=np.float64)
        np.matmul(block, block.T, out=product)  # BLAS sees one matrix twice and does half the work (syrk)
        total += product
    if not np.isfinite(total).all():
        rows = np.flatnonzero(~np.isfinite(np.diag(total)))
        raise ClassifierError(f"the features of these rows are not finite: {rows.tolist()}")
    return total


def fit_gram(
    kernel: Float64Array,
    labels: Int64Array,
    *,
    C: float = 1.0,  # noqa: N803
    class_weight: str | None = "balanced",
) -> SVC:
    """Fit the linear SVM on the inner products `kernel` (n, n) of n training rows with `labels` (n,), 0 … k-1.

    `predict` and `decision_function` of the returned `SVC` take the inner products (m, n) of new rows with the training
    rows.

    Raises:
        ClassifierError: fewer than two classes are among the labels.
    """
    if len(np.unique(labels)) < 2:
        raise ClassifierError("the training rows are all of one class; there is nothing to tell apart")
    return SVC(kernel="precomputed", C=C, class_weight=class_weight).fit(kernel, labels)


def primal(svm: SVC, features: Any, classes: tuple[str, ...], rows: Int64Array | None = None) -> LinearModel:
    """Return the `LinearModel` of an `svm` from `fit_gram`: `coef = Σ αᵢ yᵢ xᵢ` over the support vectors in `features`.

    `features` (n, d) is an array or an open HDF5 dataset, and is streamed; `rows` are those of its rows that the SVM
    was fitted on, in that order (all of them when absent).

    Raises:
        ClassifierError: the SVM has other classes.
    """
    if svm.classes_.tolist() != list(range(len(classes))):
        raise ClassifierError(f"fitted on the classes {svm.classes_.tolist()}, but these are named: {list(classes)}")
    support = svm.support_ if rows is None else rows[svm.support_]
    order = np.argsort(support)  # HDF5 reads rows in increasing order only
    dual = _dual_planes(svm)[:, order]
    size = features.shape[1]
    coef = np.empty((len(dual), size), np.float32)
    # Blocks are cut for whole columns: an HDF5 dataset reads contiguous rows faster than it picks single ones.
    for columns in _column_blocks(features.shape[0], size):
        coef[:, columns] = dual @ features[:, columns][support[order]].astype(np.float64)
    return LinearModel(classes, coef, np.asarray(svm.intercept_, np.float64).copy())


def _dual_planes(svm: SVC) -> Float64Array:
    """Signed weights (p, s) of the s support vectors in each plane; for k > 2 libsvm packs them as (k-1, s)."""
    packed = svm.dual_coef_
    if len(packed) == 1:
        return np.asarray(packed, np.float64)
    starts = np.concatenate([[0], np.cumsum(svm.n_support_)])
    classes = len(packed) + 1
    dual = np.zeros((_planes(classes), packed.shape[1]))
    for plane, (first, second) in enumerate(zip(*np.triu_indices(classes, 1), strict=True)):
        own, other = slice(starts[first], starts[first + 1]), slice(starts[second], starts[second + 1])
        dual[plane, own] = packed[second - 1, own]
        dual[plane, other] = packed[first, other]
    return dual


def _planes(classes: int) -> int:
    if classes < 2:
        raise ClassifierError(f"a classifier needs at least two classes, not {classes}")
    return 1 if classes == 2 else classes * (classes - 1) // 2


def _column_blocks(rows: int, size: int) -> Iterator[slice]:
    """Slices over `size` columns so that `rows` of them in float64 fill about one block, in whole chunks of 1,024."""
    width = max(1, _BLOCK_BYTES // (8 * max(1, rows)) // 1024) * 1024
    for start in range(0, size, width):
        yield slice(start, min(start + width, size))
