"""Candidate and champion compared on the same splits, and on the newest labels, which neither has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from db.learning.reviews import Labelled
from producer.runtime.arrays import Float64Array, Int64Array
from worker.evaluation.cross_validation import UNKNOWN, CrossValidation, SplitResult
from worker.evaluation.promotion_rule import FEWEST_NEWEST, Newest
from worker.evaluation.scores import scores
from worker.features.extraction import key_of
from worker.learning.context import LabelledSet
from worker.models.calibration import Calibration
from worker.models.candidate import CandidateError, binary, learn
from worker.models.costs import Costs
from worker.models.solver import solver_for
from worker.models.store import StoredModel
from worker.models.unsure_band import Band

_BLOCK: Final = 256
"""Rows whose features are in memory at once."""

BY_SIGN: Final = (Calibration(1.0, 0.0), Band(0.5, 0.5, 0.5))
"""Calibration and band of a model that has none: it decides by the sign of its decision value."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """The model in charge, to compare with: its planes, and the labelled set that it was fitted on, None if unknown."""

    stored: StoredModel
    learned_from: Sequence[Labelled] | None

    def labels(self, dataset: LabelledSet) -> Int64Array | None:
        """Return the labels (n,) that it was fitted on: 0, 1, or `UNKNOWN`; None where its labelled set is unknown."""
        if self.learned_from is None:
            return None
        sides = dict(zip([key_of(item) for item in self.learned_from], self._sides(), strict=True))
        return np.array([sides.get(key, UNKNOWN) for key in dataset.keys], np.int64)

    def decisions(self, features: Any, rows: Int64Array) -> Float64Array:
        """Return its decision values (m,) on `rows` (m,) of `features` (n, d)."""
        parts = [
            self.stored.classifier.decision(features[rows[start : start + _BLOCK]])[:, 0]
            for start in range(0, len(rows), _BLOCK)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def _sides(self) -> list[int]:
        return [int(side) for side in binary([item.label for item in self.learned_from or ()])]


def assessed_by_file(
    baseline: Baseline, candidate: CrossValidation, features: Any, dataset: LabelledSet, costs: Costs
) -> CrossValidation:
    """Evaluate a champion whose training set is unknown on the candidate's splits, by its file as it is.

    If it was fitted on some of these images, its scores are too good: that favours the champion, never the candidate.
    """
    manifest = baseline.stored.manifest
    calibration, band = BY_SIGN
    if manifest.calibration is not None and manifest.band is not None:
        calibration, band = manifest.calibration, manifest.band
    decisions = baseline.decisions(features, np.arange(len(dataset.items)))
    splits = tuple(
        SplitResult(
            split.seed,
            split.rows,
            decisions[split.rows],
            calibration.probabilities(decisions[split.rows]),
            scores(decisions[split.rows], dataset.sides[split.rows], calibration, band, costs),
        )
        for split in candidate.splits
    )
    return CrossValidation(candidate.kind, splits, candidate.tested_over_trained)


def newest_labels(baseline: Baseline, features: Any, dataset: LabelledSet, *, costs: Costs, seed: int) -> Newest | None:
    """Return both models' decisions on the newest labels, which neither has seen; None where there are too few.

    These are, of the inserts that the champion was not fitted on, the half that was reviewed last, one by one: labels
    that were given in bulk repeat what a model said, so they test none. The champion decides by its file; for the
    candidate, whose own file has seen them all, a model is fitted on all other inserts.
    """
    rows = _newest_rows(baseline, dataset)
    if len(rows) < FEWEST_NEWEST:
        return None
    others = np.flatnonzero(~np.isin(dataset.groups, dataset.groups[rows]))
    solver = solver_for(features)
    try:
        learned = learn(solver, features, dataset.sides, dataset.groups, others, costs=costs, seed=seed)
    except CandidateError:
        return None
    decisions = solver.decide(others, dataset.sides[others], learned.hyperparameters.C, learned.hyperparameters.scale)[
        rows
    ]
    return Newest(dataset.sides[rows], decisions, baseline.decisions(features, rows))


def _newest_rows(baseline: Baseline, dataset: LabelledSet) -> Int64Array:
    known = baseline.learned_from or ()
    lives, keys = {item.insert_key for item in known}, {key_of(item) for item in known}
    unseen = [
        row
        for row, item in enumerate(dataset.items)
        if item.provenance == "single" and item.insert_key not in lives and dataset.keys[row] not in keys
    ]
    unseen.sort(key=lambda row: dataset.items[row].review_id)
    return np.array(unseen[len(unseen) // 2 :], np.int64)
