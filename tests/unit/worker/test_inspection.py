from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support import photograph
from worker.classifier import LinearModel
from worker.inspection import LINE_CLASSES, Judgement, LineModel, judge


class MeanBrightness:
    input_size = (8, 8)

    def prepare(self, images: Any) -> Any:
        assert images.shape == (8, 8, 3)
        return images.astype(np.float32)

    def __call__(self, image: Any) -> Any:
        return np.array([image.mean()], np.float32)


NETWORK = MeanBrightness()


def model(threshold: float) -> LineModel:
    return LineModel("m", LinearModel(LINE_CLASSES, np.ones((1, 1), np.float32), np.array([-threshold], np.float64)))


@pytest.mark.parametrize(("threshold", "outcome"), [(60, "damaged"), (200, "intact")])
def test_the_side_of_the_plane_decides(threshold: float, outcome: str) -> None:
    judgement = judge(photograph(128), None, NETWORK, NETWORK, model(threshold))
    assert (judgement.outcome, judgement.model_id) == (outcome, "m")
    assert judgement.decision is not None
    assert (judgement.decision > 0) == (outcome == "damaged")


def test_only_the_region_is_looked_at() -> None:
    image = photograph(128, size=64, format="PNG")  # dark on the left, bright on the right
    left = judge(image, (0, 0, 32, 64), NETWORK, NETWORK, model(128))
    right = judge(image, (32, 0, 32, 64), NETWORK, NETWORK, model(128))
    assert (left.outcome, right.outcome) == ("intact", "damaged")


def test_no_model_is_unsure_never_a_guess() -> None:
    assert judge(photograph(), None, NETWORK, NETWORK, None) == Judgement("unsure", reason="there is no model yet")


def test_an_image_that_cannot_be_judged_says_why_with_or_without_a_model() -> None:
    for known in (None, model(60)):
        judgement = judge(b"", None, NETWORK, NETWORK, known)
        assert judgement.outcome == "unusable"
        assert judgement.reason


def test_a_value_that_is_no_number_is_unsure() -> None:
    def broken(image: Any) -> Any:
        return np.array([np.nan], np.float32)

    assert judge(photograph(), None, NETWORK, broken, model(60)).outcome == "unsure"
