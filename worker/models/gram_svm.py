"""Fits the linear SVM on one Gram matrix. scikit-learn is needed here, to judge it is not.

A linear SVM depends on its data only through inner products, so the matrix of all of them, `X Xᵀ`, serves every split
and every repeat. The solver is libsvm through scikit-learn's `SVC`, exactly as in the lab's recipe; only the source of
the inner products differs.

Why the sums are in float64: scikit-learn turns the features into float64 before libsvm multiplies them, and the
predictions must be the same. Measured on 194 photographs × 401,408 features of `mobilenet:conv1_relu` on two cores:
float64 sums take 0.29 s; float32 sums 0.18 s, but move decision values by up to 6e-4 (blocks of 4,096 columns) or 2e-3
(one product), and the image nearest to the border is 4.6e-4 from it. A tenth of a second is not worth that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from sklearn.svm import SVC

from producer.runtime.arrays import Float64Array, Int64Array
from worker.models.linear_svm import ClassifierError, LinearModel, plane_count

_BLOCK_BYTES: Final = 64 * 2**20
"""Bytes of one float64 block of features: large enough for full BLAS speed, small beside the features."""


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
    require_two_classes(labels)
    return SVC(kernel="precomputed", C=C, class_weight=class_weight).fit(kernel, labels)


def require_two_classes(labels: Int64Array) -> None:
    """Refuse the `labels` (n,) of training rows that are all of one class.

    Raises:
        ClassifierError: they are.
    """
    if len(np.unique(labels)) < 2:
        raise ClassifierError("the training rows are all of one class; there is nothing to tell apart")


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
    dual = np.zeros((plane_count(classes), packed.shape[1]))
    for plane, (first, second) in enumerate(zip(*np.triu_indices(classes, 1), strict=True)):
        own, other = slice(starts[first], starts[first + 1]), slice(starts[second], starts[second + 1])
        dual[plane, own] = packed[second - 1, own]
        dual[plane, other] = packed[first, other]
    return dual


def _column_blocks(rows: int, size: int) -> Iterator[slice]:
    """Slices over `size` columns so that `rows` of them in float64 fill about one block, in whole chunks of 1,024."""
    width = max(1, _BLOCK_BYTES // (8 * max(1, rows)) // 1024) * 1024
    for start in range(0, size, width):
        yield slice(start, min(start + width, size))
