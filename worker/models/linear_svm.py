"""The linear SVM as it judges: one dot product a plane. How it is fitted is in `worker.models.gram_svm`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from producer.runtime.arrays import AnyArray, Float32Array, Float64Array, Int64Array


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
        planes = plane_count(len(self.classes))
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


def plane_count(classes: int) -> int:
    """Return how many planes tell that many classes apart.

    Raises:
        ClassifierError: there are fewer than two.
    """
    if classes < 2:
        raise ClassifierError(f"a classifier needs at least two classes, not {classes}")
    return 1 if classes == 2 else classes * (classes - 1) // 2
