"""One image, one judgement: bytes → pixels → features → outcome, without Celery and without SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from producer.answers import Outcome
from worker.classifier import LinearModel
from worker.images import UnusableImage, decode

INTACT, DAMAGED = "intact", "damaged"

LINE_CLASSES = (INTACT, DAMAGED)
"""The classes of every model that judges on the line; a decision value above 0 is the second."""


@dataclass(frozen=True)
class Judgement:
    """What one image says about its insert."""

    outcome: Outcome
    reason: str | None = None
    decision: float | None = None
    model_id: str | None = None


@dataclass(frozen=True)
class LineModel:
    """The classifier in charge, with the name that its verdicts carry."""

    model_id: str
    classifier: LinearModel


class Eye(Protocol):
    """The part of a backbone that turns one photograph into what the network takes."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        ...

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pixels (h, w, 3) to network input of the same shape."""
        ...


def judge(
    data: bytes,
    region: tuple[int, int, int, int] | None,
    eye: Eye,
    features: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    model: LineModel | None,
) -> Judgement:
    """Judge one image.

    Args:
        data: the image file's bytes.
        region: left, top, width and height of the insert in the upright image, in pixels, or None for all of it.
        eye: prepares the pixels for the network.
        features: one prepared image (h, w, 3) to its feature vector (d,); in a worker this is the micro-batcher.
        model: the model in charge, None while there is none; it is used for the whole judgement.
    """
    try:
        pixels = decode(data, eye.input_size, region)
    except UnusableImage as error:
        return Judgement("unusable", reason=str(error))
    if model is None:
        return Judgement("unsure", reason="there is no model yet")
    vector = features(eye.prepare(pixels))
    if not np.isfinite(vector).all():
        return Judgement("unsure", reason="the network's features are not finite", model_id=model.model_id)
    decision = float(model.classifier.decision(vector[None])[0, 0])
    return Judgement("damaged" if decision > 0 else "intact", decision=decision, model_id=model.model_id)
