"""Repeated train/test splits, and their scores from one Gram matrix."""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from producer.contract.reasons import promotion as why
from producer.runtime.arrays import Float64Array, Int64Array
from worker.models.gram_svm import fit_gram
from worker.models.linear_svm import ClassifierError

_GROUPED_DRAWS = 100


class EvaluationError(ValueError):
    """The labelled set cannot be split as asked; the message says what it has and what is needed."""


@dataclass(frozen=True, eq=False)
class Split:
    """One division of the images: `train` and `test` are index arrays, `seed` is what they were drawn with."""

    seed: int
    train: Int64Array
    test: Int64Array


@dataclass(frozen=True, eq=False)
class SplitScore:
    """The result of one split. `confusion` is (k, k): row the true class, column the predicted one, in images."""

    seed: int
    predictions: Int64Array
    confusion: Int64Array
    seconds_fit: float

    @property
    def accuracy(self) -> float:
        """Share of the test images whose class was predicted correctly."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def macro_recall(self) -> float:
        """Mean recall over the classes; classes without a test image do not count."""
        images = self.confusion.sum(axis=1)
        present = images > 0
        return float((np.diag(self.confusion)[present] / images[present]).mean())


def repeated_splits(labels: Int64Array, *, test_size: float, repeats: int, stratify: bool = True) -> Iterator[Split]:
    """Yield the lab's splits: seeds 1 … `repeats`, each `train_test_split(range(n), test_size, random_state=seed)`.

    Raises:
        EvaluationError: there are too few images for them.
    """
    _check_share(test_size, repeats)
    n, classes = len(labels), len(np.unique(labels))
    tested = math.ceil(test_size * n)
    if stratify and (smallest := int(np.unique(labels, return_counts=True)[1].min())) < 2:
        raise EvaluationError(why.ONE_OF_CLASS(count=smallest))
    if min(tested, n - tested) < (classes if stratify else 1):
        raise EvaluationError(
            f"{n} images give {n - tested} for training and {tested} for testing, but each side needs at least "
            f"{classes if stratify else 1}; take more images or another test share than {test_size}"
        )
    for seed in range(1, repeats + 1):
        train, test = train_test_split(
            range(n), test_size=test_size, random_state=seed, stratify=labels if stratify else None
        )
        yield Split(seed, np.array(train, np.int64), np.array(test, np.int64))


def grouped_splits(labels: Int64Array, groups: Int64Array, *, test_size: float, repeats: int) -> Iterator[Split]:
    """Yield splits that never have images of one group on both sides: seeds 1 … `repeats`, `test_size` of the groups.

    They are drawn by `GroupShuffleSplit` until both sides have every class. Not by `StratifiedGroupKFold`: it sorts the
    groups by size before it distributes them, so with groups of different sizes its folds hardly change with the seed
    and the standard deviation over repeats would mean nothing.

    Raises:
        EvaluationError: the groups cannot be divided so.
    """
    _check_share(test_size, repeats)
    classes, group_count = len(np.unique(labels)), len(np.unique(groups))
    if group_count < 2:
        raise EvaluationError(why.ONE_GROUP())
    for seed in range(1, repeats + 1):
        yield _draw_groups(labels, groups, classes, test_size, seed)


def score_splits(
    kernel: Float64Array,
    labels: Int64Array,
    splits: Iterable[Split],
    *,
    classes: int,
    C: float = 1.0,  # noqa: N803
) -> list[SplitScore]:
    """Fit and score each of `splits` on the inner products `kernel` (n, n) of all n images with `labels` (n,).

    The predictions are those of `SVC(kernel="linear", class_weight="balanced", C=C)` on the features.

    Raises:
        EvaluationError: a split leaves one class for training, as unstratified ones can.
    """
    scores = []
    for split in splits:
        start = time.perf_counter()
        try:
            svm = fit_gram(kernel[np.ix_(split.train, split.train)], labels[split.train], C=C)
        except ClassifierError as error:
            raise EvaluationError(f"split {split.seed}: {error}; take stratified splits or more images") from error
        seconds = time.perf_counter() - start
        predictions = svm.predict(kernel[np.ix_(split.test, split.train)])
        confusion = confusion_matrix(labels[split.test], predictions, labels=range(classes))
        scores.append(SplitScore(split.seed, predictions, confusion, seconds))
    return scores


def _draw_groups(labels: Int64Array, groups: Int64Array, classes: int, test_size: float, seed: int) -> Split:
    draws = GroupShuffleSplit(_GROUPED_DRAWS, test_size=test_size, random_state=seed)
    count = len(np.unique(groups))
    try:
        for train, test in draws.split(labels, labels, groups):
            if len(np.unique(labels[train])) == len(np.unique(labels[test])) == classes:
                return Split(seed, train.astype(np.int64), test.astype(np.int64))
    except ValueError as error:
        raise EvaluationError(f"{count} groups cannot be split with a test share of {test_size}: {error}") from error
    raise EvaluationError(why.CLASS_IN_ONE_GROUP(draws=_GROUPED_DRAWS, share=test_size, count=count))


def _check_share(test_size: float, repeats: int) -> None:
    if not 0 < test_size < 1:
        raise EvaluationError(f"the test share must lie between 0 and 1, not at {test_size}")
    if repeats < 1:
        raise EvaluationError(f"at least one repeat is needed, not {repeats}")
