"""Repeated hold-out evaluation of the whole training procedure, with random splits and splits grouped by insert.

In every split all choices (C, scaling, calibration) are made inside its training part, so that the test part is used
once, at the end. The champion's own file may have been fitted on images of a test part: on each split it is therefore
represented by a model that is fitted on its labelled set, cut to the training part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from db.schema.column_words import SPLIT_KINDS, SplitKind
from producer.contract.reasons import promotion as why
from producer.runtime.arrays import BoolArray, Float64Array, Int64Array
from worker.evaluation.assessed_rows import rows_to_take
from worker.evaluation.scores import Interval, Scores, interval, scores
from worker.evaluation.splits import Split, grouped_splits, repeated_splits
from worker.models.candidate import CandidateError, learn
from worker.models.costs import Costs
from worker.models.linear_svm import ClassifierError
from worker.models.solver import Solver, solver_for, taken

FEWEST_AT_A_PLACE = 30
"""Fewest images of a machine or station for an accuracy of its own."""

UNKNOWN = -1
"""In the champion's labels: an image that was not in its labelled set."""


@dataclass(frozen=True, eq=False)
class SplitResult:
    """The predictions on one split's test part: rows (m,), decision values and probabilities (m,), and their scores."""

    seed: int
    rows: Int64Array
    decisions: Float64Array
    probabilities: Float64Array
    scores: Scores


@dataclass(frozen=True)
class Misclassified:
    """An image (its row) that the sign of the decision value misclassified in `wrong` of the `tested` splits."""

    row: int
    tested: int
    wrong: int


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """All splits of one kind. `tested_over_trained` is the ratio of their sizes, which the intervals need."""

    kind: SplitKind
    splits: tuple[SplitResult, ...]
    tested_over_trained: float

    def values(self, name: str) -> list[float]:
        """Return one score (a field of `Scores`) over the splits, without those that have none."""
        values = [getattr(split.scores, name) for split in self.splits]
        return [float(value) for value in values if value is not None]

    def interval(self, name: str) -> Interval | None:
        """Return mean and 95 % confidence interval of one score over the splits (see
        `worker.evaluation.scores.interval`).

        None where no split has the score.
        """
        values = self.values(name)
        limits = (0.0, np.inf) if name == "cost" else (0.0, 1.0)
        return interval(values, self.tested_over_trained, limits=limits) if values else None

    def wrong(self, labels: Int64Array) -> list[Misclassified]:
        """Return the images that were misclassified at least once, the most often wrong first."""
        tested, wrong = np.zeros(len(labels), np.int64), np.zeros(len(labels), np.int64)
        for split in self.splits:
            tested[split.rows] += 1
            wrong[split.rows] += (split.decisions > 0) != (labels[split.rows] == 1)
        rows = sorted(np.flatnonzero(wrong), key=lambda row: (-wrong[row] / tested[row], row))
        return [Misclassified(int(row), int(tested[row]), int(wrong[row])) for row in rows]

    def of_rows(self, rows: Int64Array) -> CrossValidation:
        """Return the same where the images were `rows` (m,) of a larger set."""
        return replace(self, splits=tuple(replace(split, rows=rows[split.rows]) for split in self.splits))

    def by_place(self, labels: Int64Array, places: Sequence[str]) -> dict[str, float]:
        """Return the accuracy over all test predictions of each place with at least `FEWEST_AT_A_PLACE` images.

        `places` are the machine or station of each of the n images.
        """
        names = np.array(places)
        rows = np.concatenate([split.rows for split in self.splits])
        decisions = np.concatenate([split.decisions for split in self.splits])
        right = (decisions > 0) == (labels[rows] == 1)
        enough = [name for name in np.unique(names) if (names == name).sum() >= FEWEST_AT_A_PLACE]
        return {str(name): float(right[names[rows] == name].mean()) for name in enough if (names[rows] == name).any()}


def cross_validate(
    features: Any,
    labels: Int64Array,
    groups: Int64Array,
    *,
    costs: Costs,
    repeats: int = 10,
    test_size: float = 0.3,
    kinds: Sequence[SplitKind] = SPLIT_KINDS,
    champion_labels: Int64Array | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,  # noqa: ARG005
) -> dict[SplitKind, tuple[CrossValidation, CrossValidation | None]]:
    """Evaluate learning on `features` (n, d) with `labels` (n,), 0 or 1, and inserts `groups` (n,), by kind of split.

    `champion_labels` (n,) are the labels that the champion was fitted on, `UNKNOWN` where it had none: the second
    result is then the champion's, over the same splits and images. Images whose label has changed since are left out of
    both, since neither can be blamed for them. `progress` is called with how many of how many splits are done.

    Of very many images the splits are drawn from some whole inserts only (`worker.evaluation.assessed_rows`).

    Raises:
        EvaluationError: the set is too small to be split.
        CandidateError: the set is too small to be learned from.
    """
    rows = rows_to_take(features, groups)
    if rows is not None:
        of_some = cross_validate(
            taken(features, rows),
            labels[rows],
            groups[rows],
            costs=costs,
            repeats=repeats,
            test_size=test_size,
            kinds=kinds,
            champion_labels=None if champion_labels is None else champion_labels[rows],
            progress=progress,
        )
        return {kind: (ours.of_rows(rows), theirs and theirs.of_rows(rows)) for kind, (ours, theirs) in of_some.items()}
    trial = _Trial(solver_for(features), features, labels, groups, costs)
    judged = np.ones(len(labels), bool)
    if champion_labels is not None:
        judged = (champion_labels == UNKNOWN) | (champion_labels == labels)
    results: dict[SplitKind, tuple[CrossValidation, CrossValidation | None]] = {}
    for number, kind in enumerate(kinds):
        if kind == "plain":
            drawn = list(repeated_splits(labels, test_size=test_size, repeats=repeats))
        else:
            drawn = list(grouped_splits(labels, groups, test_size=test_size, repeats=repeats))
        pairs = []
        for done, split in enumerate(drawn, 1):
            pairs.append(_pair(trial, split, judged, champion_labels))
            progress(number * repeats + done, len(kinds) * repeats)
        kept = [pair for pair in pairs if pair is not None]
        if not kept:
            raise CandidateError(why.NO_SPLIT())
        ratio = float(np.mean([len(split.test) / len(split.train) for split in drawn]))
        theirs = tuple(champion for _, champion in kept if champion is not None)
        results[kind] = (
            CrossValidation(kind, tuple(candidate for candidate, _ in kept), ratio),
            CrossValidation(kind, theirs, ratio) if theirs else None,
        )
    return results


def cross_validate_known(
    features: Any,
    labels: Int64Array,
    groups: Int64Array,
    known: Int64Array,
    *,
    costs: Costs,
    repeats: int,
    test_size: float = 0.3,
) -> CrossValidation | None:
    """Evaluate learning from the `known` labels (n,) only, `UNKNOWN` elsewhere, on the grouped splits of all of them.

    A split that leaves too few to learn from is left out; None where all do.
    """
    trial = _Trial(solver_for(features), features, labels, groups, costs)
    splits, ratios = [], []
    for split in grouped_splits(labels, groups, test_size=test_size, repeats=repeats):
        train = split.train[known[split.train] != UNKNOWN]
        try:
            splits.append(trial.run(split.seed, known, train, split.test))
        except (CandidateError, ClassifierError):
            continue
        ratios.append(len(split.test) / len(train))
    return CrossValidation("grouped", tuple(splits), float(np.mean(ratios))) if splits else None


@dataclass(frozen=True, eq=False)
class _Trial:
    """What all splits have in common; `truth` (n,) are the labels that test predictions are compared with."""

    solver: Solver
    features: Any
    truth: Int64Array
    groups: Int64Array
    costs: Costs

    def run(self, seed: int, labels: Int64Array, train: Int64Array, test: Int64Array) -> SplitResult:
        """Learn from `labels` (n,) on the rows `train` and predict the rows `test`."""
        train = np.sort(train)
        learned = learn(self.solver, self.features, labels, self.groups, train, costs=self.costs, seed=seed)
        hyperparameters = learned.hyperparameters
        decisions = (
            self.solver.decide(train, labels[train], hyperparameters.C, hyperparameters.scale)[test] - learned.cut
        )
        probabilities = learned.calibration.probabilities(decisions)
        measured = scores(decisions, self.truth[test], learned.calibration, learned.band, self.costs)
        return SplitResult(seed, test, decisions, probabilities, measured)


def _pair(
    trial: _Trial, split: Split, judged: BoolArray, champion_labels: Int64Array | None
) -> tuple[SplitResult, SplitResult | None] | None:
    """One split by candidate and champion; None where what is left is too little for both."""
    test = split.test[judged[split.test]]
    if len(np.unique(trial.truth[test])) < 2:
        return None
    try:
        champion = None
        if champion_labels is not None:
            known = split.train[champion_labels[split.train] != UNKNOWN]
            champion = trial.run(split.seed, champion_labels, known, test)
        return trial.run(split.seed, trial.truth, split.train, test), champion
    except (CandidateError, ClassifierError):  # too few inserts, or nothing that tells the images apart
        return None
