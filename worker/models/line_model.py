"""The model that judges on the line: one image's features to a judgement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from producer.contract.reasons import models
from producer.contract.reasons.template import Reason
from producer.contract.vocabulary import DECIDED, Outcome
from producer.runtime.arrays import Float32Array
from worker.images.measurements import Measurements
from worker.images.wear_land import WearLand
from worker.models.calibration import Calibration
from worker.models.linear_svm import LinearModel
from worker.models.novelty import Novelty
from worker.models.unsure_band import Band

LINE_CLASSES: Final = DECIDED
"""The classes of every model on the line; a decision value above 0 is the second."""

INTACT, DAMAGED = LINE_CLASSES


@dataclass(frozen=True)
class Judgement:
    """The result for one image.

    `decision` is the classifier's value and `probability` the calibrated one of damage (0 to 1), each where there is
    one; `label` is one of `DAMAGE_KINDS`, for a damaged insert and a model that distinguishes them. `shadow` is the
    shadow model's result for the same features, for comparison only. `evidence` is where it came from, as it is kept
    (`db.evidence.evidence_map`), for what is not intact. `seen` is what was measured of the photograph, where it could
    be decoded, and `wear` the land along the edge, where one is declared and a land can be told.
    """

    outcome: Outcome
    reason: Reason | None = None
    decision: float | None = None
    model_id: str | None = None
    probability: float | None = None
    label: str | None = None
    shadow: Judgement | None = None
    evidence: bytes | None = None
    seen: Measurements | None = field(default=None, compare=False)
    wear: WearLand | None = None


@dataclass(frozen=True)
class LineModel:
    """A model as it judges on the line, with the id that its verdicts carry.

    `classifier` distinguishes `LINE_CLASSES`, `kind` (where there is one) `DAMAGE_KINDS`. Without a `calibration` there
    is no probability; without a `band` or a calibration the sign of the decision value decides and the band leaves
    nothing unsure. What is novel, where the model can tell, is unsure whatever the classifier says.
    `usual` (d,) is the mean of the intact inserts' features; without it no evidence is given.
    """

    model_id: str
    classifier: LinearModel
    calibration: Calibration | None = None
    band: Band | None = None
    kind: LinearModel | None = None
    novelty: Novelty | None = None
    usual: Float32Array | None = field(default=None, compare=False)

    def judge(self, vector: Float32Array) -> Judgement:
        """Judge one image by its finite features (d,).

        Raises:
            ClassifierError: they have another length.
        """
        return self.judge_all(vector[None])[0]

    def judge_all(self, features: Float32Array) -> list[Judgement]:
        """Judge several images by their finite features (n, d).

        Raises:
            ClassifierError: they have another length.
        """
        decisions = self.classifier.decision(features)[:, 0].tolist()
        novel = [None] * len(features) if self.novelty is None else self.novelty.reasons(features)
        judged = [self._judgement(*of) for of in zip(decisions, novel, strict=True)]
        if self.kind is None:
            return judged
        damaged = [number for number, judgement in enumerate(judged) if judgement.outcome == DAMAGED]
        for number, kind in zip(damaged, self.kind.predict(features[damaged]).tolist(), strict=True):
            judged[number] = replace(judged[number], label=self.kind.classes[kind])
        return judged

    def _judgement(self, decision: float, novel: Reason | None) -> Judgement:
        """What a decision value says of a photograph, or why it is unlike anything learnt."""
        probability = None if self.calibration is None else self.calibration.probability(decision)
        outcome: Outcome = DAMAGED if decision > 0 else INTACT
        reason = novel
        if novel is not None:
            outcome = "unsure"
        elif self.band is not None and probability is not None:
            outcome = self.band.side(probability)
            if outcome == "unsure":
                reason = models.UNSURE_BAND(probability=probability, lower=self.band.lower, upper=self.band.upper)
        return Judgement(outcome, reason, decision, self.model_id, probability)
