"""One photograph, one judgement: bytes → pixels → features → the model's outcome. Neither Celery nor SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import structlog

from producer.contract.event import Region
from worker.images.decoding import UnusableImage, decode_photograph
from worker.line.active_models import ActiveModels
from worker.models.line_model import Judgement
from worker.models.registry import ActiveModel
from worker.monitoring.metrics import LineMetrics
from worker.networks.running import Network
from worker.runtime.arrays import Float32Array, UInt8Array
from worker.runtime.failpoints import failpoint

log = structlog.get_logger()

_WITHOUT_MODEL: Final = (224, 224)
"""The size in pixels at which a photograph is looked at while there is no network to look with."""


class Judge:
    """Judges photographs by the models of the moment; one thread at a time."""

    def __init__(self, models: ActiveModels, metrics: LineMetrics):
        self._models = models
        self._metrics = metrics

    @property
    def model_in_charge(self) -> str | None:
        """The name of the model that was in charge at the last judgement; None where there is none."""
        return self._models.champion_id

    def judge(self, image: bytes, region: Region | None) -> Judgement:
        """Judge one image file, or the region of it that shows the insert.

        Without a champion nothing is guessed: the outcome is `unsure`; so it is where a part of the photograph may be
        missing, whatever the champion says. A shadow judges alongside, by its own network where it has another.
        """
        models = self._models.current()  # once: the whole judgement is theirs, whatever is promoted meanwhile
        champion, shadow = models.champion, models.shadow
        box = None if region is None else (region.left, region.top, region.width, region.height)
        try:
            with self._metrics.stage("decode"):
                size = _WITHOUT_MODEL if champion is None else champion.network.input_size
                photograph = decode_photograph(image, size, box)
        except UnusableImage as error:
            return Judgement("unusable", reason=str(error))
        if champion is None:
            return Judgement("unsure", reason=models.why_none)
        features = self._features(champion.network, photograph.pixels)
        if not np.isfinite(features).all():
            return Judgement("unsure", reason="the network's features are not finite", model_id=champion.model_id)
        judgement = champion.model.judge(features)
        if photograph.doubt is not None:
            judgement = replace(judgement, outcome="unsure", reason=photograph.doubt, label=None)
        if shadow is None:
            return judgement
        same = features if shadow.network is champion.network else None
        return replace(judgement, shadow=self._judged_alongside(shadow, image, box, same))

    def _features(self, network: Network, pixels: UInt8Array) -> Float32Array:
        """The feature vector (d,) of one image (height, width, 3) of the network's size."""
        with self._metrics.stage("forward"):
            failpoint("forward")
            features: Float32Array = network.features_of(pixels[None])[0]
        return features

    def _judged_alongside(
        self, shadow: ActiveModel, image: bytes, box: tuple[int, int, int, int] | None, features: Float32Array | None
    ) -> Judgement | None:
        try:
            if features is None:
                pixels = decode_photograph(image, shadow.network.input_size, box).pixels
                features = self._features(shadow.network, pixels)
            return shadow.model.judge(features)
        except Exception as error:  # noqa: BLE001 - whatever it is, the line has its judgement
            log.warning("the shadow cannot judge", model=shadow.model_id, reason=str(error))
            return None
