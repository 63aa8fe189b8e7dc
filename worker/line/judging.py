"""One photograph, one judgement: bytes → pixels → features → the model's outcome. Neither Celery nor SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import structlog

from producer.contract.event import Region
from worker.images.decoding import UnusableImage, decode_photograph
from worker.line.active_models import ActiveModels
from worker.models.line_model import Judgement, LineModel
from worker.monitoring.metrics import LineMetrics
from worker.runtime.arrays import Float32Array, UInt8Array
from worker.runtime.failpoints import failpoint

if TYPE_CHECKING:
    from worker.backbones.backbone import Backbone

log = structlog.get_logger()


class LineNetwork:
    """The network, run on one image at a time."""

    def __init__(self, backbone: Backbone, metrics: LineMetrics):
        self.input_size = backbone.input_size
        self._backbone = backbone
        self._metrics = metrics

    def features(self, pixels: UInt8Array) -> Float32Array:
        """The feature vector (d,) of one image (height, width, 3) of `input_size`."""
        with self._metrics.stage("forward"):
            failpoint("forward")
            features: Float32Array = self._backbone.features_of([pixels])[0]
        return features


class Judge:
    """Judges photographs by the models of the moment; one thread at a time."""

    def __init__(self, network: LineNetwork, models: ActiveModels, metrics: LineMetrics):
        self._network = network
        self._models = models
        self._metrics = metrics

    @property
    def model_in_charge(self) -> str | None:
        """The name of the model that was in charge at the last judgement; None where there is none."""
        return self._models.champion_id

    def judge(self, image: bytes, region: Region | None) -> Judgement:
        """Judge one image file, or the region of it that shows the insert.

        Without a champion nothing is guessed: the outcome is `unsure`; so it is where a part of the photograph may be
        missing, whatever the champion says. A shadow judges the same features alongside.
        """
        champion, shadow = self._models.current()  # once: the whole judgement is theirs, whatever is promoted meanwhile
        try:
            with self._metrics.stage("decode"):
                photograph = decode_photograph(image, self._network.input_size, _box(region))
        except UnusableImage as error:
            return Judgement("unusable", reason=str(error))
        if champion is None:
            return Judgement("unsure", reason="there is no model yet")
        features = self._network.features(photograph.pixels)
        if not np.isfinite(features).all():
            return Judgement("unsure", reason="the network's features are not finite", model_id=champion.model_id)
        judgement = champion.judge(features)
        if photograph.doubt is not None:
            judgement = replace(judgement, outcome="unsure", reason=photograph.doubt, label=None)
        return judgement if shadow is None else replace(judgement, shadow=_judge_alongside(shadow, features))


def _box(region: Region | None) -> tuple[int, int, int, int] | None:
    return None if region is None else (region.left, region.top, region.width, region.height)


def _judge_alongside(shadow: LineModel, features: Float32Array) -> Judgement | None:
    try:
        return shadow.judge(features)
    except Exception as error:  # noqa: BLE001 - whatever it is, the line has its judgement
        log.warning("the shadow cannot judge", model=shadow.model_id, reason=str(error))
        return None
