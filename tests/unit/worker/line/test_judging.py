from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from db.evidence.evidence_map import unpacked
from producer.contract.reasons.image_files import NO_CONTOUR
from producer.contract.region import Edge, Region
from tests.cut_out_pictures import cut_out, metal, saved
from tests.support import photograph
from worker.images.region_cut import StripSize
from worker.line.active_models import ModelPair
from worker.line.judging import ImageToJudge, Judge
from worker.models.line_model import LINE_CLASSES, Judgement, LineModel
from worker.models.linear_svm import LinearModel
from worker.models.registry import ActiveModel
from worker.monitoring.metrics import WorkerMetrics
from worker.networks.loaded_network import Seen
from worker.networks.names import Output


class MeanBrightness:
    """A network of one feature. Counts its forward passes."""

    def __init__(self, side: int = 8) -> None:
        self.input_size: tuple[int, int] = (side, side)
        self.passes = 0

    def features_of(self, images: Any) -> Any:
        assert {(image.shape, image.dtype) for image in images} == {((*self.input_size, 3), np.dtype(np.uint8))}
        self.passes += 1
        return np.mean(images, axis=(1, 2, 3), dtype=np.float32)[:, None]


class Models:
    """The models of the moment, which never change."""

    def __init__(self, champion: ActiveModel | None, shadow: ActiveModel | None):
        self.current = lambda: ModelPair(champion, shadow)


def judge(
    image: bytes,
    champion: LineModel | None,
    shadow: LineModel | None = None,
    *,
    region: Region | None = None,
    network: Any = None,
    other: Any = None,
) -> Judgement:
    network = network or MeanBrightness()
    active = champion and ActiveModel(champion, network)
    beside = shadow and ActiveModel(shadow, other or network)
    models: Any = Models(active, beside)
    return Judge(models, WorkerMetrics()).judge(image, region)


def model(threshold: float) -> LineModel:
    return LineModel("m", LinearModel(LINE_CLASSES, np.ones((1, 1), np.float32), np.array([-threshold], np.float64)))


@pytest.mark.parametrize(("threshold", "outcome"), [(60, "damaged"), (200, "intact")])
def test_the_model_in_charge_decides(threshold: float, outcome: str) -> None:
    judgement = judge(photograph(128), model(threshold))
    assert (judgement.outcome, judgement.model_id) == (outcome, "m")
    assert judgement.decision is not None
    assert (judgement.decision > 0) == (outcome == "damaged")


def test_only_the_region_is_looked_at() -> None:
    image = photograph(128, size=64, format="PNG")  # dark on the left, bright on the right
    left = judge(image, model(128), region=Region(left=0, top=0, width=32, height=64))
    right = judge(image, model(128), region=Region(left=32, top=0, width=32, height=64))
    assert (left.outcome, right.outcome) == ("intact", "damaged")


STRIP = Edge(x1=0, y1=40, x2=60, y2=40, above=20, below=20)


def test_a_model_that_learned_from_whole_photographs_only_does_not_judge_strips() -> None:
    image = photograph(128, size=64, format="PNG")
    network: Any = MeanBrightness()
    for forms, outcome in (({"box"}, "unsure"), ({"box", "edge"}, "damaged"), ({"edge"}, "damaged")):
        models: Any = Models(ActiveModel(model(60), network, frozenset(forms)), None)
        judgement = Judge(models, WorkerMetrics()).judge(image, STRIP)
        assert judgement.outcome == outcome
        assert judgement.decision is not None
        assert (outcome == "unsure") == ("the strip along an edge" in str(judgement.reason))
    whole = Judge(models, WorkerMetrics()).judge(image, None)
    assert whole.outcome == "unsure"
    assert "not at all" in str(whole.reason)


def test_a_model_that_looks_along_the_edge_of_cut_outs_is_unsure_where_there_is_none() -> None:
    along_edge = MeanBrightness()
    along_edge.input_size = StripSize((8, 8))
    cut = saved(cut_out("an edge", (900, 700))[0], "JPEG")
    assert judge(cut, model(60), network=along_edge).outcome == "damaged"
    judgement = judge(saved(metal((900, 700)), "JPEG"), model(60), network=along_edge)
    assert (judgement.outcome, judgement.reason) == ("unsure", NO_CONTOUR())


def test_what_is_judged_together_is_judged_as_it_is_alone_and_in_one_pass() -> None:
    network = MeanBrightness()
    models: Any = Models(ActiveModel(model(128), network), ActiveModel(model(60), network))  # type: ignore[arg-type]
    judging = Judge(models, WorkerMetrics())
    left = Region(left=0, top=0, width=32, height=64)
    images = [
        *map(ImageToJudge, (photograph(90), b"no image", photograph(200))),
        ImageToJudge(photograph(128, size=64), left),
    ]
    together = judging.judge_all(images)
    assert network.passes == 1
    assert together == [judging.judge(image.data, image.region) for image in images]
    assert [each.outcome for each in together] == ["intact", "unusable", "damaged", "intact"]
    assert [each.shadow is not None for each in together] == [True, False, True, True]


def test_no_model_is_unsure_never_a_guess() -> None:
    assert judge(photograph(), None) == Judgement("unsure", reason="there is no model yet")


def test_a_photograph_that_may_lack_a_part_is_unsure_whatever_the_model_says() -> None:
    pixels = np.asarray(Image.open(io.BytesIO(photograph(128, size=64, format="PNG"))).convert("RGB")).copy()
    pixels[40:] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "BMP")
    for threshold in (-1, 60, 200, 300):
        judgement = judge(file.getvalue(), model(threshold))
        assert judgement.outcome == "unsure"
        assert "never written" in str(judgement.reason)
        assert judgement.decision is not None
    whole = judge(file.getvalue(), model(300), region=Region(left=0, top=0, width=64, height=40))
    assert whole.outcome == "intact"


def test_an_image_that_cannot_be_judged_says_why_with_or_without_a_model() -> None:
    for known in (None, model(60)):
        judgement = judge(b"", known)
        assert judgement.outcome == "unusable"
        assert judgement.reason


def test_a_value_that_is_no_number_is_unsure() -> None:
    class Broken(MeanBrightness):
        def features_of(self, images: Any) -> Any:
            return super().features_of(images) * np.nan

    assert judge(photograph(), model(60), network=Broken()).outcome == "unsure"


def test_a_shadow_judges_the_same_features_and_changes_nothing() -> None:
    network = MeanBrightness()
    alone = judge(photograph(128), model(60))
    both = judge(photograph(128), model(60), replace(model(200), model_id="s"), network=network)
    assert network.passes == 1
    assert replace(both, shadow=None) == alone
    assert both.shadow is not None
    assert (both.outcome, both.shadow.outcome, both.shadow.model_id) == ("damaged", "intact", "s")


def test_a_shadow_that_cannot_judge_leaves_the_judgement_alone() -> None:
    blind = LineModel("s", LinearModel(LINE_CLASSES, np.ones((1, 5), np.float32), np.zeros(1)))
    assert judge(photograph(128), model(60), blind) == judge(photograph(128), model(60))
    assert judge(b"", model(60), blind).shadow is None
    assert judge(photograph(128), None, blind).shadow is None


def test_a_shadow_with_another_network_sees_through_its_own() -> None:
    small, large = MeanBrightness(8), MeanBrightness(16)
    shadow = replace(model(200), model_id="s")
    both = judge(photograph(128), model(60), shadow, network=small, other=large)
    assert (small.passes, large.passes) == (1, 1)
    assert replace(both, shadow=None) == judge(photograph(128), model(60))
    assert both.shadow == judge(photograph(128), shadow, network=large)


def test_a_shadow_whose_network_fails_leaves_the_judgement_alone() -> None:
    class Failing(MeanBrightness):
        def features_of(self, images: Any) -> Any:
            raise RuntimeError(f"LiteRT says no to {len(images)}")

    alone = judge(photograph(128), model(60))
    assert judge(photograph(128), model(60), model(200), other=Failing()) == alone


class Mapped(MeanBrightness):
    """The same feature with the map that it is averaged from."""

    outputs = (Output("brightness", "gap"),)
    has_places = True

    def features_and_maps(self, images: Any) -> Any:
        maps = [image.mean(axis=2, keepdims=True, dtype=np.float32) for image in images]
        return self.features_of(images), [Seen([brightness]) for brightness in maps]


def test_a_verdict_that_is_not_intact_says_where_it_came_from() -> None:
    image = photograph(128, size=64, format="PNG")  # dark on the left, bright on the right
    usual = replace(model(60), usual=np.float32([20]))
    judgement = judge(image, usual, network=Mapped())
    assert (judgement.outcome, judgement.evidence is None) == ("damaged", False)
    shares = unpacked(judgement.evidence or b"").shares
    assert shares.shape == (8, 8)
    assert shares[:, 4:].sum() > 1.5 * shares[:, :4].sum()
    assert shares.sum() == pytest.approx(judgement.decision + 60 - 20, abs=0.5)
    assert judge(image, usual, network=Mapped(), region=Region(left=32, top=0, width=32, height=64)).evidence


@pytest.mark.parametrize(
    ("threshold", "image", "why"),
    [(200, photograph(128), "intact"), (60, b"", "unusable")],
)
def test_an_intact_or_unusable_verdict_has_no_evidence(threshold: float, image: bytes, why: str) -> None:
    judgement = judge(image, replace(model(threshold), usual=np.float32([20])), network=Mapped())
    assert (judgement.outcome, judgement.evidence) == (why, None)


def test_a_model_that_does_not_know_what_is_usual_gives_no_evidence() -> None:
    assert judge(photograph(128), model(60), network=Mapped()).evidence is None
