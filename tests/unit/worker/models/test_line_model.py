from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support import photograph
from worker.models.calibration import Calibration
from worker.models.line_model import KINDS, LINE_CLASSES, Judgement, LineModel, judge
from worker.models.linear_svm import LinearModel
from worker.models.unsure_band import Band


class MeanBrightness:
    input_size = (8, 8)

    def __call__(self, image: Any) -> Any:
        assert (image.shape, image.dtype) == ((8, 8, 3), np.uint8)
        return np.array([image.mean()], np.float32)


NETWORK = MeanBrightness()


def model(threshold: float) -> LineModel:
    return LineModel("m", LinearModel(LINE_CLASSES, np.ones((1, 1), np.float32), np.array([-threshold], np.float64)))


@pytest.mark.parametrize(("threshold", "outcome"), [(60, "damaged"), (200, "intact")])
def test_the_side_of_the_plane_decides(threshold: float, outcome: str) -> None:
    judgement = judge(photograph(128), None, NETWORK.input_size, NETWORK, model(threshold))
    assert (judgement.outcome, judgement.model_id) == (outcome, "m")
    assert judgement.decision is not None
    assert (judgement.decision > 0) == (outcome == "damaged")


def test_only_the_region_is_looked_at() -> None:
    image = photograph(128, size=64, format="PNG")  # dark on the left, bright on the right
    left = judge(image, (0, 0, 32, 64), NETWORK.input_size, NETWORK, model(128))
    right = judge(image, (32, 0, 32, 64), NETWORK.input_size, NETWORK, model(128))
    assert (left.outcome, right.outcome) == ("intact", "damaged")


def test_no_model_is_unsure_never_a_guess() -> None:
    assert judge(photograph(), None, NETWORK.input_size, NETWORK, None) == Judgement(
        "unsure", reason="there is no model yet"
    )


def test_an_image_that_cannot_be_judged_says_why_with_or_without_a_model() -> None:
    for known in (None, model(60)):
        judgement = judge(b"", None, NETWORK.input_size, NETWORK, known)
        assert judgement.outcome == "unusable"
        assert judgement.reason


def test_a_photograph_that_may_lack_a_part_is_unsure_whatever_the_model_says() -> None:
    pixels = np.asarray(Image.open(io.BytesIO(photograph(128, size=64, format="PNG"))).convert("RGB")).copy()
    pixels[40:] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "BMP")
    for threshold in (-1, 60, 200, 300):
        judgement = judge(file.getvalue(), None, NETWORK.input_size, NETWORK, model(threshold))
        assert judgement.outcome == "unsure"
        assert "never written" in str(judgement.reason)
        assert judgement.decision is not None
    whole = judge(file.getvalue(), (0, 0, 64, 40), NETWORK.input_size, NETWORK, model(300))
    assert whole.outcome == "intact"


def test_a_value_that_is_no_number_is_unsure() -> None:
    def broken(image: Any) -> Any:
        return np.array([np.nan], np.float32)

    assert judge(photograph(), None, NETWORK.input_size, broken, model(60)).outcome == "unsure"


def with_band(offset: float, kind: float | None = None) -> LineModel:
    """A model whose probability of damage is the sigmoid of brightness minus 128, moved by `offset`."""
    finer = None if kind is None else LinearModel(KINDS, np.ones((1, 1), np.float32), np.array([-kind], np.float64))
    return replace(model(128), calibration=Calibration(1.0, offset), band=Band(0.05, 0.2, 0.8), kind=finer)


@pytest.mark.parametrize(("offset", "outcome"), [(-20.0, "intact"), (0.0, "unsure"), (20.0, "damaged")])
def test_the_band_decides_by_the_probability(offset: float, outcome: str) -> None:
    line_model = with_band(offset)
    judgement = line_model.judge(np.array([128.5], np.float32))
    assert (judgement.outcome, judgement.model_id, judgement.decision) == (outcome, "m", 0.5)
    assert judgement.probability == pytest.approx(1 / (1 + np.exp(-(0.5 + offset))))
    assert (judgement.reason is not None) == (outcome == "unsure")
    if judgement.reason is not None:
        assert "0.622" in judgement.reason
        assert "0.050 to 0.800" in judgement.reason


@pytest.mark.parametrize(("kind", "label"), [(200.0, "worn"), (50.0, "broken")])
def test_a_damaged_insert_has_a_finer_label_where_the_model_knows_it(kind: float, label: str) -> None:
    vector = np.array([128.5], np.float32)
    assert with_band(20.0, kind).judge(vector).label == label
    assert with_band(20.0).judge(vector).label is None
    assert with_band(0.0, kind).judge(vector).label is None  # unsure
    assert with_band(-20.0, kind).judge(vector).label is None  # intact


def test_without_a_band_the_sign_decides_and_nothing_is_unsure() -> None:
    judgement = replace(model(128), calibration=Calibration(1.0, 0.0)).judge(np.array([128.5], np.float32))
    assert (judgement.outcome, judgement.probability) == ("damaged", pytest.approx(0.6225, abs=1e-4))
    assert model(128).judge(np.array([128.5], np.float32)).probability is None


def test_a_shadow_judges_the_same_features_and_changes_nothing() -> None:
    passes = []

    def counted(image: Any) -> Any:
        passes.append(image)
        return NETWORK(image)

    alone = judge(photograph(128), None, NETWORK.input_size, NETWORK, model(60))
    both = judge(photograph(128), None, NETWORK.input_size, counted, model(60), replace(model(200), model_id="s"))
    assert len(passes) == 1
    assert replace(both, shadow=None) == alone
    assert both.shadow is not None
    assert (both.outcome, both.shadow.outcome, both.shadow.model_id) == ("damaged", "intact", "s")


def test_a_shadow_that_cannot_judge_leaves_the_judgement_alone() -> None:
    blind = LineModel("s", LinearModel(LINE_CLASSES, np.ones((1, 5), np.float32), np.zeros(1)))
    alone = judge(photograph(128), None, NETWORK.input_size, NETWORK, model(60))
    assert judge(photograph(128), None, NETWORK.input_size, NETWORK, model(60), blind) == alone
    assert judge(b"", None, NETWORK.input_size, NETWORK, model(60), blind).shadow is None
    assert judge(photograph(128), None, NETWORK.input_size, NETWORK, None, blind).shadow is None
