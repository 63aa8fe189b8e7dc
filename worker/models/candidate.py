"""Fits a candidate model to a labelled set: C, scaling, planes, calibration, band, novelty. Arrays in, value out.

All hyperparameters are chosen inside the training rows, by cross-validation that never has images of one insert on both
sides. The out-of-fold decision values serve the choice, the calibration and the report alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold

from producer.contract.reasons import promotion as why
from producer.contract.vocabulary import DAMAGE_KINDS, LABELS
from producer.runtime.arrays import AnyArray, Float32Array, Float64Array, Int64Array
from worker.models.calibration import Calibration
from worker.models.calibration_check import CalibrationCheck
from worker.models.costs import Costs
from worker.models.error_bound import ErrorBound
from worker.models.line_model import INTACT, LINE_CLASSES
from worker.models.linear_svm import ClassifierError, LinearModel
from worker.models.novelty import Novelty, learnt_novelty
from worker.models.platt_scaling import balanced_cut, calibrate
from worker.models.primal_newton import Plane
from worker.models.solver import STANDARDISED_COLUMNS, GramSolver, Solver, narrowed, solver_for
from worker.models.supported_band import error_bound, supported
from worker.models.unsure_band import Band, band
from worker.models.venn_abers import check

LEARNABLE: Final = tuple(label for label in LABELS if label != "unusable")
"""Labels that can be learned from; `unusable` images are left out beforehand."""

FOLDS: Final = 3
STRENGTHS: Final = (0.1, 1.0, 3.0, 10.0, 30.0)
"""The grid of C, in units of 1 / (mean squared distance of the rows from their mean)."""

_LAB_SIZE: Final = 100.0
"""Mean squared distance up to which the lab's C = 1 is in the grid too."""

TRIAL_ROWS: Final = 2_000
"""Most rows for the choice of C: whole inserts, drawn at random. C is then lowered in proportion to the rows."""

FEWEST_KINDS: Final = 30
"""Fewest images of a kind of damage for a finer model that distinguishes it from the others."""


class CandidateError(ValueError):
    """The labelled set is not enough to learn from; the message says what is missing."""


@dataclass(frozen=True, eq=False)
class Hyperparameters:
    """How a plane is fitted: `C`, and the factors (d,) that the features are multiplied by (None: as they are)."""

    C: float
    scale: Float64Array | None = None


@dataclass(frozen=True, eq=False)
class Learned:
    """What was chosen on some rows: hyperparameters, and cut, calibration and band from their out-of-fold decisions.

    `cut` is the decision value at which either side is equally likely where both are equally frequent: it is taken off
    every decision value, so that 0 parts the sides. A plane that separates its own rows lies anywhere between them, and
    nearer to the side that has fewer; the out-of-fold decisions say where. `out_of_fold` (m,) has it taken off.
    """

    hyperparameters: Hyperparameters
    cut: float
    calibration: Calibration
    band: Band
    out_of_fold: Float64Array

    def error_bound(self, labels: Int64Array, groups: Int64Array) -> ErrorBound:
        """Return what may be promised of the band's decisions; `labels` (m,) and `groups` (m,) as they were learned."""
        return error_bound(self.band, self.calibration.probabilities(self.out_of_fold), labels, groups)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model that might take over; the fields are what `worker.models.store.save` takes.

    `classifier` tells `LINE_CLASSES` apart, `kind` those `DAMAGE_KINDS` of which there were enough. Coefficients are
    for features as they are, also when they were `standardised` for the fit. `out_of_fold` (n,) are the decision values
    that calibration and band come from, for each row by a plane that had not seen its insert. `usual` (d,) is the mean
    of the intact rows. `novelty` is None where the rows cannot tell what is unlike them.
    """

    classifier: LinearModel
    kind: LinearModel | None
    calibration: Calibration
    band: Band
    costs: Costs
    C: float
    standardised: bool
    trained_on: int
    out_of_fold: Float64Array
    novelty: Novelty | None
    error_bound: ErrorBound
    usual: Float32Array
    calibration_check: CalibrationCheck


def binary(labels: Sequence[str]) -> Int64Array:
    """Return labels (n,) as 0 for intact and 1 for damaged of any kind.

    Raises:
        CandidateError: there is another label among them.
    """
    if unknown := sorted(set(labels) - set(LEARNABLE)):
        raise CandidateError(
            f"labels that cannot be learned from: {', '.join(unknown)}; there are {', '.join(LEARNABLE)}"
        )
    return np.array([label != INTACT for label in labels], np.int64)


def fit_candidate(
    features: Any,
    labels: Sequence[str],
    groups: Int64Array,
    *,
    costs: Costs,
    weights: Float64Array | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda step: None,  # noqa: ARG005
) -> Candidate:
    """Fit on all rows of `features` (n, d), an array or an open HDF5 dataset, with `labels` (n,) of `LEARNABLE`.

    `groups` (n,) number the inserts, and `weights` (n,) say for how much of the line each row stands
    (`worker.models.label_weights`). The same arguments give the same candidate. `progress` is called with each step.

    Raises:
        CandidateError: there are too few images or inserts.
        ClassifierError: the features cannot be fitted.
    """
    sides = binary(labels)
    if not len(sides) == len(groups) == features.shape[0]:
        raise CandidateError(f"{features.shape[0]} rows of features, {len(sides)} labels and {len(groups)} groups")
    rows = np.arange(len(sides))
    progress("reading the features")
    solver = solver_for(features)
    progress("choosing C")
    learned = learn(solver, features, sides, groups, rows, costs=costs, weights=weights, seed=seed)
    progress("fitting")
    hyperparameters = learned.hyperparameters
    plane = solver.plane(rows, sides, hyperparameters.C, hyperparameters.scale)
    return Candidate(
        _model(LINE_CLASSES, [plane], learned.cut),
        _kinds(solver, np.array(labels), hyperparameters),
        learned.calibration,
        learned.band,
        costs,
        hyperparameters.C,
        hyperparameters.scale is not None,
        len(rows),
        learned.out_of_fold,
        learnt_novelty(features, groups, seed=seed),
        learned.error_bound(sides, groups),
        solver.moments(rows[sides == 0]).mean.astype(np.float32),
        check(learned.calibration, learned.band, learned.out_of_fold, sides, groups, weights, seed),
    )


def learn(
    solver: Solver,
    features: Any,
    labels: Int64Array,
    groups: Int64Array,
    rows: Int64Array,
    *,
    costs: Costs,
    weights: Float64Array | None = None,
    seed: int = 0,
) -> Learned:
    """Choose hyperparameters, calibration and band on `rows` (m,) of the labelled set, whose `labels` (n,) are 0 or 1.

    The hyperparameters with the best out-of-fold balanced accuracy at their own cut are chosen, the earlier in the grid
    where two are equal. Features are standardised unless there are more than `STANDARDISED_COLUMNS`: the outputs of
    several layers have no common scale. Then the lab's C = 1 is tried too, where it can be fitted. With `weights` (n,)
    the probabilities are those of the line that the rows stand for; what is decided first is not touched by them.

    Raises:
        CandidateError: the rows cannot be divided.
    """
    held_out = folds(labels[rows], groups[rows], seed)
    trial = _trial_rows(labels, groups, rows, seed)
    trials, places = narrowed(solver, features, trial)
    hyperparameters = _choose(trials, places, labels[trial], groups[trial], seed, lab=isinstance(solver, GramSolver))
    hyperparameters = Hyperparameters(hyperparameters.C * len(trial) / len(rows), hyperparameters.scale)
    decisions = _out_of_fold(solver, rows, labels[rows], held_out, hyperparameters)
    calibration = calibrate(decisions, labels[rows])
    cut = balanced_cut(calibration, labels[rows])
    if weights is not None:
        calibration = calibrate(decisions, labels[rows], weights[rows])
    limits = supported(band(costs), calibration.probabilities(decisions), labels[rows], groups[rows])
    return Learned(hyperparameters, cut, calibration.moved(cut), limits, decisions - cut)


def folds(labels: Int64Array, groups: Int64Array, seed: int) -> list[tuple[Int64Array, Int64Array]]:
    """Return (fit, held-out) places for `FOLDS` folds (fewer where there are fewer inserts), each insert in one fold.

    Raises:
        CandidateError: a part to fit on would lack a side.
    """
    inserts = min((len(np.unique(groups[labels == side])) for side in (0, 1)), default=0)
    if inserts < 2:
        raise CandidateError(why.FEW_INSERTS())
    split = StratifiedGroupKFold(min(FOLDS, inserts), shuffle=True, random_state=seed)
    parts = [(fit, held) for fit, held in split.split(labels, labels, groups)]
    if any(len(np.unique(labels[fit])) < 2 for fit, _ in parts):
        raise CandidateError(why.NOT_DIVISIBLE())
    return parts


def _choose(
    trials: Solver, rows: Int64Array, labels: Int64Array, groups: Int64Array, seed: int, lab: bool
) -> Hyperparameters:
    size = trials.spread(rows)
    if size == 0:
        raise ClassifierError("all images have the same features; there is nothing to tell apart")
    if trials.shape[1] <= STANDARDISED_COLUMNS:
        moments = trials.moments(rows)
        deviation = moments.deviation
        # What differs by little more than rounding, such as rows of black beside an edge, tells nothing: of length 1 it
        # would be so far from 0 that libsvm finds no end.
        known = deviation > np.maximum(1e-6 * deviation.max(), 1e-4 * np.abs(moments.mean))
        scale = np.where(known, 1 / np.where(known, deviation, 1), 0)
        grid = [Hyperparameters(strength / int(known.sum()), scale) for strength in STRENGTHS]
    else:
        # Far beyond the other values of C libsvm only takes ever longer to find the same plane.
        grid = [Hyperparameters(1.0)] if lab and size <= _LAB_SIZE else []
        grid += [Hyperparameters(strength / size) for strength in STRENGTHS]
    parts = folds(labels, groups, seed)
    best, chosen = -1.0, grid[0]
    for hyperparameters in grid:
        decisions = _out_of_fold(trials, rows, labels, parts, hyperparameters)
        cut = balanced_cut(calibrate(decisions, labels), labels)
        score = float(balanced_accuracy_score(labels, decisions > cut))
        if score > best + 1e-9:
            best, chosen = score, hyperparameters
    return chosen


def _out_of_fold(
    solver: Solver,
    rows: Int64Array,
    labels: Int64Array,
    parts: list[tuple[Int64Array, Int64Array]],
    hyperparameters: Hyperparameters,
) -> Float64Array:
    decisions = np.empty(len(rows))
    for fit, held in parts:
        decisions[held] = solver.decide(rows[fit], labels[fit], hyperparameters.C, hyperparameters.scale)[rows[held]]
    return decisions


def _trial_rows(labels: Int64Array, groups: Int64Array, rows: Int64Array, seed: int) -> Int64Array:
    """All rows, or about `TRIAL_ROWS` of them in whole inserts; more where so few cannot be divided."""
    if len(rows) <= TRIAL_ROWS:
        return rows
    _, places, sizes = np.unique(groups[rows], return_inverse=True, return_counts=True)
    drawn = np.random.default_rng(seed).permutation(len(sizes))
    count = max(1, int(np.searchsorted(np.cumsum(sizes[drawn]), TRIAL_ROWS, side="right")))
    while True:
        trial = rows[np.isin(places, drawn[:count])]
        try:
            folds(labels[trial], groups[trial], seed)
        except CandidateError:
            if count >= len(drawn):
                raise
            count *= 2
        else:
            return trial


def _kinds(solver: Solver, labels: AnyArray, hyperparameters: Hyperparameters) -> LinearModel | None:
    """What tells the kinds of damage apart of which there are enough images; None where these are fewer than two."""
    kinds = tuple(kind for kind in DAMAGE_KINDS if (labels == kind).sum() >= FEWEST_KINDS)
    planes = []
    for first, second in combinations(kinds, 2):
        rows = np.flatnonzero((labels == first) | (labels == second))
        above = labels[rows] == (second if len(kinds) == 2 else first)  # as `LinearModel` has it
        planes.append(solver.plane(rows, above.astype(np.int64), hyperparameters.C, hyperparameters.scale))
    return _model(kinds, planes) if planes else None


def _model(classes: tuple[str, ...], planes: Sequence[Plane], cut: float = 0.0) -> LinearModel:
    coef = np.array([plane.coef for plane in planes], np.float32)
    return LinearModel(classes, coef, np.array([plane.intercept - cut for plane in planes]))
