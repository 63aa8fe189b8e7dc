"""A candidate and the champion on the same ground: the same splits, and the newest labels that neither has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from db.learning.reviews import Labelled
from worker.evaluation.cross_validation import UNKNOWN, Answered, Assessment
from worker.evaluation.promotion_rule import FEWEST_NEWEST, Newest
from worker.evaluation.scores import scores
from worker.features.extraction import sight
from worker.learning.context import Ints, Material
from worker.models.calibration import Calibration
from worker.models.candidate import CandidateError, binary, learn
from worker.models.costs import Costs
from worker.models.solver import solver
from worker.models.store import Stored
from worker.models.unsure_band import Band

Float64s = npt.NDArray[np.float64]

_BLOCK: Final = 256
"""Rows whose features are in memory at once."""

BY_SIGN: Final = (Calibration(1.0, 0.0), Band(0.5, 0.5, 0.5))
"""What answers as a model without calibration and band does: by the sign of its decision value."""


@dataclass(frozen=True, eq=False)
class Champion:
    """The model in charge: its planes, and the labelled set that it learned from, None where that is not known."""

    stored: Stored
    learned_from: Sequence[Labelled] | None

    def labels(self, found: Material) -> Ints | None:
        """What it was told (n,) about the material: 0, 1, or `UNKNOWN`; None where its labelled set is not known."""
        if self.learned_from is None:
            return None
        told = dict(zip([sight(item) for item in self.learned_from], self._sides(), strict=True))
        return np.array([told.get(name, UNKNOWN) for name in found.sights], np.int64)

    def decisions(self, features: Any, rows: Ints) -> Float64s:
        """Its decision values (m,) on `rows` (m,) of `features` (n, d)."""
        parts = [
            self.stored.classifier.decision(features[rows[start : start + _BLOCK]])[:, 0]
            for start in range(0, len(rows), _BLOCK)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def _sides(self) -> list[int]:
        return [int(side) for side in binary([item.label for item in self.learned_from or ()])]


def assessed_by_file(
    champion: Champion, candidate: Assessment, features: Any, found: Material, costs: Costs
) -> Assessment:
    """A champion of which it is not known what it saw, on the candidate's splits: its file as it is answers.

    If it saw some of these images, that flatters the champion, never the candidate.
    """
    manifest = champion.stored.manifest
    calibration, band = BY_SIGN
    if manifest.calibration is not None and manifest.band is not None:
        calibration, band = manifest.calibration, manifest.band
    decisions = champion.decisions(features, np.arange(len(found.items)))
    splits = tuple(
        Answered(
            split.seed,
            split.rows,
            decisions[split.rows],
            calibration.probabilities(decisions[split.rows]),
            scores(decisions[split.rows], found.sides[split.rows], calibration, band, costs),
        )
        for split in candidate.splits
    )
    return Assessment(candidate.kind, splits, candidate.tested_over_trained)


def newest_labels(champion: Champion, features: Any, found: Material, *, costs: Costs, seed: int) -> Newest | None:
    """The newest labels that neither has seen, with both models' answers; None where there are too few.

    Of the inserts that the champion does not know, the half that was reviewed last: there the champion's file answers,
    and what is learned from all other inserts. (The candidate's own file has seen them all.)
    """
    rows = _newest_rows(champion, found)
    if len(rows) < FEWEST_NEWEST:
        return None
    others = np.flatnonzero(~np.isin(found.lives, found.lives[rows]))
    fits = solver(features)
    try:
        learned = learn(fits, features, found.sides, found.lives, others, costs=costs, seed=seed)
    except CandidateError:
        return None
    decisions = fits.decide(others, found.sides[others], learned.recipe.C, learned.recipe.scale)[rows]
    return Newest(found.sides[rows], decisions, champion.decisions(features, rows))


def _newest_rows(champion: Champion, found: Material) -> Ints:
    known = champion.learned_from or ()
    lives, sights = {item.insert_key for item in known}, {sight(item) for item in known}
    unseen = [
        row for row, item in enumerate(found.items) if item.insert_key not in lives and found.sights[row] not in sights
    ]
    unseen.sort(key=lambda row: found.items[row].review_id)
    return np.array(unseen[len(unseen) // 2 :], np.int64)
