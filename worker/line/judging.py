"""From photographs to judgements: bytes → pixels → features → the model's outcome. Neither Celery nor SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import structlog

from producer.contract.reasons import models as why
from producer.contract.reasons.template import Template
from producer.contract.region import AnyRegion, Edge, Form, form_of
from producer.runtime.arrays import Float32Array
from worker.images.decoding import DecodedPhotograph, UnusableImage, decode_photograph
from worker.images.measurements import Measurements, measure
from worker.images.region_cut import cut_of
from worker.images.wear_land import WearLand, wear_land
from worker.line.active_models import ActiveModels, ModelPair
from worker.line.evidence import explained, gives_evidence
from worker.line.stations import Origin, Stations
from worker.models.line_model import Judgement
from worker.models.registry import ActiveModel
from worker.monitoring.metrics import LineMetrics
from worker.networks.loaded_network import Network, Seen
from worker.runtime.failpoints import failpoint

log = structlog.get_logger()

_WITHOUT_MODEL: Final = (224, 224)
"""The size in pixels at which a photograph is looked at while there is no network to look with."""

_NOT_LEARNT: Final[dict[Form, Template]] = {"box": why.NO_BOXES, "polygon": why.NO_POLYGONS, "edge": why.NO_EDGES}


class ImageToJudge(NamedTuple):
    """An image file to judge, the region of it that shows the insert, and where it comes from, if that is known."""

    data: bytes
    region: AnyRegion | None = None
    origin: Origin | None = None


class Judge:
    """Judges photographs by the models of the moment; one thread at a time."""

    def __init__(self, models: ActiveModels, metrics: LineMetrics, stations: Stations | None = None):
        """Judge by `models`; without `stations` a photograph is not compared with others of its station."""
        self._models = models
        self._metrics = metrics
        self._stations = stations

    @property
    def model_in_charge(self) -> str | None:
        """The name of the model that was in charge at the last judgement; None where there is none."""
        return self._models.champion_id

    def judge(self, image: bytes, region: AnyRegion | None) -> Judgement:
        """Judge one image file, or the region of it that shows the insert."""
        return self.judge_all([ImageToJudge(image, region)])[0]

    def judge_all(self, images: Sequence[ImageToJudge]) -> list[Judgement]:
        """Judge several photographs by the same models.

        Without a champion the outcome is `unsure`, not a guess. It is also `unsure` if a part of the photograph may be
        missing, or it is less sharp than its station's others, whatever the champion says. A photograph that is unlike
        the others of its station is `unusable`, and no network looks at it (`worker.line.blurred_or_dark`). A shadow
        judges alongside, by its own network where it has another.
        """
        models = self._models.current()  # once: whole judgements are theirs, whatever is promoted meanwhile
        champion = models.champion
        size = _WITHOUT_MODEL if champion is None else champion.network.input_size
        seen = [self._photograph(image.data, image.region, size) for image in images]
        measured = [measure(it.pixels, it.image) if isinstance(it, DecodedPhotograph) else None for it in seen]
        seen = [self._held_against_others(*parts) for parts in zip(images, seen, measured, strict=True)]
        lands = [_wear_land(image.region, photograph) for image, photograph in zip(images, seen, strict=True)]
        judgements = self._judged_by(models, images, seen)
        parts = zip(judgements, measured, lands, strict=True)
        return [replace(judgement, seen=values, wear=land) for judgement, values, land in parts]

    def _judged_by(
        self, models: ModelPair, images: Sequence[ImageToJudge], seen: Sequence[DecodedPhotograph | Judgement]
    ) -> list[Judgement]:
        champion = models.champion
        places = [place for place, image in enumerate(seen) if isinstance(image, DecodedPhotograph)]
        unsure = Judgement("unsure", reason=models.why_none)
        judgements = [image if isinstance(image, Judgement) else unsure for image in seen]
        if champion is None or not places:
            return judgements
        photographs = [image for image in seen if isinstance(image, DecodedPhotograph)]
        features, maps = self._features_and_maps(champion, photographs)
        judged = _judged(champion, features)
        for place, photograph, judgement, seen_in in zip(places, photographs, judged, maps, strict=True):
            doubted = _doubted(judgement, champion, photograph, form_of(images[place].region))
            judgements[place] = explained(doubted, champion, seen_in)
        if models.shadow is not None:
            same = features if models.shadow.network is champion.network else None
            for number, place in enumerate(places):
                if judgements[place].decision is not None:
                    vector = None if same is None else same[number]
                    shadow = self._judged_alongside(models.shadow, images[place], vector)
                    judgements[place] = replace(judgements[place], shadow=shadow)
        return judgements

    def _photograph(
        self, image: bytes, region: AnyRegion | None, size: tuple[int, int]
    ) -> DecodedPhotograph | Judgement:
        """The image as it is looked at, or that it cannot be judged."""
        try:
            with self._metrics.stage("decode"):
                return decode_photograph(image, size, cut_of(region))
        except UnusableImage as error:
            return Judgement("unusable", reason=error.reason)

    def _held_against_others(
        self, image: ImageToJudge, seen: DecodedPhotograph | Judgement, measured: Measurements | None
    ) -> DecodedPhotograph | Judgement:
        """What was seen, doubted where it is less sharp than usual, or that its station took no usable photograph."""
        if self._stations is None or image.origin is None or measured is None or isinstance(seen, Judgement):
            return seen
        problem = self._stations.fault(image.origin, measured)
        if problem is not None:
            return Judgement("unusable", reason=problem)
        return replace(seen, doubt=seen.doubt or self._stations.doubt(image.origin, measured))

    def _features_and_maps(
        self, champion: ActiveModel, photographs: Sequence[DecodedPhotograph]
    ) -> tuple[Float32Array, Sequence[Seen | None]]:
        """The feature vectors (n, d), and for each image what they come from: None where that is not needed."""
        if not gives_evidence(champion):
            return self._features(champion.network, photographs), [None] * len(photographs)
        with self._metrics.stage("forward"):
            failpoint("forward")
            return champion.network.features_and_maps([photograph.pixels for photograph in photographs])

    def _features(self, network: Network, photographs: Sequence[DecodedPhotograph]) -> Float32Array:
        """The feature vectors (n, d) of images of the network's size."""
        with self._metrics.stage("forward"):
            failpoint("forward")
            return network.features_of([photograph.pixels for photograph in photographs])

    def _judged_alongside(
        self, shadow: ActiveModel, image: ImageToJudge, features: Float32Array | None
    ) -> Judgement | None:
        try:
            if features is None:
                seen = self._photograph(image.data, image.region, shadow.network.input_size)
                if isinstance(seen, Judgement):
                    raise ValueError(seen.reason)
                features = self._features(shadow.network, [seen])[0]
            return shadow.model.judge(features)
        except Exception as error:  # noqa: BLE001 - whatever it is, the line has its judgement
            log.warning("the shadow cannot judge", model=shadow.model_id, reason=str(error))
            return None


def _wear_land(region: AnyRegion | None, seen: DecodedPhotograph | Judgement) -> WearLand | None:
    """The wear land along a declared edge, of a usable photograph of which nothing may be missing."""
    if isinstance(seen, Judgement) or seen.doubt is not None or seen.strip is None or not isinstance(region, Edge):
        return None
    return wear_land(seen.strip, region)


def _judged(champion: ActiveModel, features: Float32Array) -> list[Judgement]:
    """What the model says of each feature vector (n, d), of which it is not asked where it is not finite."""
    judged = [Judgement("unsure", reason=why.NOT_FINITE(), model_id=champion.model_id)] * len(features)
    finite = np.flatnonzero(np.isfinite(features).all(axis=1))
    for number, judgement in zip(finite.tolist(), champion.model.judge_all(features[finite]), strict=True):
        judged[number] = judgement
    return judged


def _doubted(judgement: Judgement, champion: ActiveModel, photograph: DecodedPhotograph, form: Form) -> Judgement:
    """The same, or that a person must look: at the photograph, or as the model knows nothing of this form of region."""
    doubt = photograph.doubt
    if doubt is None and form not in champion.forms:
        doubt = _NOT_LEARNT[form]()
    if doubt is None or judgement.decision is None:
        return judgement
    return replace(judgement, outcome="unsure", reason=doubt, label=None)
