"""One image, one judgement: bytes → pixels → features → outcome, without Celery and without SQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy as np
import structlog
from numpy.typing import NDArray

from producer.contract.vocabulary import Outcome
from worker.images.decoding import UnusableImage, decode_photograph
from worker.models.calibration import Calibration
from worker.models.linear_svm import LinearModel
from worker.models.unsure_band import Band

log = structlog.get_logger()

INTACT, DAMAGED = "intact", "damaged"

LINE_CLASSES = (INTACT, DAMAGED)
"""The classes of every model that judges on the line; a decision value above 0 is the second."""

KINDS = ("worn", "broken")
"""The classes of the finer model, which says in what way a damaged insert is damaged; above 0 is the second."""


@dataclass(frozen=True)
class Judgement:
    """What one image says about its insert.

    `decision` is the classifier's value and `probability` the calibrated one of damage (0 to 1), each where there is
    one; `label` is the finer one of `KINDS`, for a damaged insert and a model that tells them apart. `shadow` is what
    the model in shadow says of the same features, for comparison only.
    """

    outcome: Outcome
    reason: str | None = None
    decision: float | None = None
    model_id: str | None = None
    probability: float | None = None
    label: str | None = None
    shadow: Judgement | None = None


@dataclass(frozen=True)
class LineModel:
    """The model in charge, with the name that its verdicts carry.

    `classifier` tells `LINE_CLASSES` apart, `kind` (where there is one) `KINDS`. Without a `calibration` there is no
    probability; without a `band` or a calibration the sign of the decision value decides and nothing is unsure.
    """

    model_id: str
    classifier: LinearModel
    calibration: Calibration | None = None
    band: Band | None = None
    kind: LinearModel | None = None

    def judge(self, vector: NDArray[np.float32]) -> Judgement:
        """The judgement on one image's finite features (d,). Raises `ClassifierError` for another length."""
        row = vector[None]
        decision = float(self.classifier.decision(row)[0, 0])
        probability = None if self.calibration is None else self.calibration.probability(decision)
        outcome: Outcome
        reason = None
        if self.band is None or probability is None:
            outcome = "damaged" if decision > 0 else "intact"
        else:
            outcome = self.band.side(probability)
            if outcome == "unsure":
                reason = (
                    f"the probability of damage, {probability:.3f}, lies in the unsure band, "
                    f"{self.band.lower:.3f} to {self.band.upper:.3f}"
                )
        label = None
        if outcome == "damaged" and self.kind is not None:
            label = self.kind.classes[int(self.kind.predict(row)[0])]
        return Judgement(outcome, reason, decision, self.model_id, probability, label)


def judge(
    data: bytes,
    region: tuple[int, int, int, int] | None,
    size: tuple[int, int],
    features: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    model: LineModel | None,
    shadow: LineModel | None = None,
    decoding: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Judgement:
    """Judge one image.

    Args:
        data: the image file's bytes.
        region: left, top, width and height of the insert in the upright image, in pixels, or None for all of it.
        size: height and width of what the network takes, in pixels.
        features: one image (h, w, 3) of 0…255 to its feature vector (d,); in a worker this is the micro-batcher.
        model: the model in charge, None while there is none; it is used for the whole judgement.
        shadow: a model of the same features that judges alongside, wherever the one in charge does.
        decoding: what decoding and resizing happens in, such as a stopwatch.
    """
    try:
        with decoding():
            photograph = decode_photograph(data, size, region)
    except UnusableImage as error:
        return Judgement("unusable", reason=str(error))
    if model is None:
        return Judgement("unsure", reason="there is no model yet")
    vector = features(photograph.pixels)
    if not np.isfinite(vector).all():
        return Judgement("unsure", reason="the network's features are not finite", model_id=model.model_id)
    judgement = model.judge(vector)
    if photograph.doubt is not None:
        judgement = replace(judgement, outcome="unsure", reason=photograph.doubt, label=None)
    return judgement if shadow is None else replace(judgement, shadow=_alongside(shadow, vector))


def _alongside(shadow: LineModel, vector: NDArray[np.float32]) -> Judgement | None:
    try:
        return shadow.judge(vector)
    except Exception as error:  # noqa: BLE001 - whatever it is, the line has its judgement
        log.warning("the shadow cannot judge", model=shadow.model_id, reason=str(error))
        return None
