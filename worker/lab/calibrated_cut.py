"""The lab's classifier cut where either class is equally likely, not at 0: what a plane that fits too well hides.

An SVM that separates its own training images lies anywhere between the classes. The decision values of images that it
did not learn from say where to cut, as on the line (`worker.models.candidate`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from sklearn.metrics import confusion_matrix

from producer.runtime.arrays import Float64Array, Int64Array
from worker.evaluation.splits import Split, SplitScore
from worker.lab.recipe import RepeatedScores
from worker.models.candidate import CandidateError, folds
from worker.models.gram_svm import fit_gram
from worker.models.platt_scaling import balanced_cut, calibrate


def calibrated_scores(
    kernel: Float64Array,
    labels: Int64Array,
    groups: Int64Array | None,
    splits: Iterable[Split],
    *,
    C: float,  # noqa: N803
) -> RepeatedScores | None:
    """The scores of `worker.evaluation.splits.score_splits` with the cut that the training images' own folds give.

    `kernel` (n, n) are inner products of n images with `labels` (n,), 0 or 1. Those of one of `groups` (n,) are in one
    fold. None where there are not two classes, or too few images of one to divide.
    """
    if set(np.unique(labels).tolist()) != {0, 1}:
        return None
    groups = np.arange(len(labels)) if groups is None else groups
    try:
        return RepeatedScores(tuple(_score(kernel, labels, groups, split, C) for split in splits))
    except CandidateError:
        return None


def _score(kernel: Float64Array, labels: Int64Array, groups: Int64Array, split: Split, c: float) -> SplitScore:
    train, held_out = split.train, np.empty(len(split.train))
    for fit, held in folds(labels[train], groups[train], split.seed):
        held_out[held] = _decisions(kernel, labels, train[fit], train[held], c)
    cut = balanced_cut(calibrate(held_out, labels[train]), labels[train])
    decisions = _decisions(kernel, labels, train, split.test, c)
    predictions = (decisions > cut).astype(np.int64)
    confusion = confusion_matrix(labels[split.test], predictions, labels=[0, 1])
    return SplitScore(split.seed, predictions, confusion, 0.0)


def _decisions(kernel: Float64Array, labels: Int64Array, train: Int64Array, test: Int64Array, c: float) -> Float64Array:
    svm = fit_gram(kernel[np.ix_(train, train)], labels[train], C=c)
    return np.asarray(svm.decision_function(kernel[np.ix_(test, train)]))
