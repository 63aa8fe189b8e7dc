from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from producer.contract.reasons.models import UNLIKE
from producer.contract.vocabulary import DAMAGE_KINDS
from worker.models.calibration import Calibration
from worker.models.line_model import LINE_CLASSES, LineModel
from worker.models.linear_svm import LinearModel
from worker.models.novelty import learnt_novelty
from worker.models.unsure_band import Band


def model(threshold: float) -> LineModel:
    return LineModel("m", LinearModel(LINE_CLASSES, np.ones((1, 1), np.float32), np.array([-threshold], np.float64)))


@pytest.mark.parametrize(("threshold", "outcome"), [(60, "damaged"), (200, "intact")])
def test_the_side_of_the_plane_decides(threshold: float, outcome: str) -> None:
    judgement = model(threshold).judge(np.array([128.0], np.float32))
    assert (judgement.outcome, judgement.model_id, judgement.decision) == (outcome, "m", 128 - threshold)


def with_band(offset: float, kind: float | None = None) -> LineModel:
    """A model whose probability of damage is the sigmoid of brightness minus 128, moved by `offset`."""
    intercept = np.array([-(kind or 0.0)], np.float64)
    finer = None if kind is None else LinearModel(DAMAGE_KINDS, np.ones((1, 1), np.float32), intercept)
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


@pytest.mark.parametrize("decided", ["intact", "damaged"])
def test_what_is_unlike_anything_learnt_is_unsure_whatever_the_classifier_says(decided: str) -> None:
    seen = np.random.default_rng(0).normal([5, 1, 1], 0.3, (100, 3)).astype(np.float32)
    sign = 1 if decided == "damaged" else -1
    planes = LinearModel(LINE_CLASSES, sign * np.ones((1, 3), np.float32), np.zeros(1))
    kind = LinearModel(DAMAGE_KINDS, np.ones((1, 3), np.float32), np.zeros(1))
    certain = LineModel("m", planes, Calibration(10.0, 0.0), Band(0.05, 0.2, 0.8), kind)
    line_model = replace(certain, novelty=learnt_novelty(seen, np.arange(100)))
    known, novel = np.array([5, 1, 1], np.float32), np.array([1, 1, 5], np.float32)
    assert line_model.judge(known) == certain.judge(known)
    judgement = line_model.judge(novel)
    assert (certain.judge(novel).outcome, judgement.outcome, judgement.label) == (decided, "unsure", None)
    assert str(judgement.reason).startswith(UNLIKE.beginning)
    assert (judgement.decision, judgement.probability) == (
        certain.judge(novel).decision,
        certain.judge(novel).probability,
    )


def test_what_is_judged_together_is_judged_as_it_is_alone() -> None:
    """To the last bit, and a finer label where only some are damaged."""
    rng = np.random.default_rng(0)
    seen = rng.normal(1, 0.3, (300, 1_152)).astype(np.float32)
    coef = rng.standard_normal((2, 1, 1_152)).astype(np.float32)
    planes, kind = (
        LinearModel(classes, weights, -weights.sum(axis=1, dtype=np.float64))
        for classes, weights in zip((LINE_CLASSES, DAMAGE_KINDS), coef, strict=True)
    )
    novelty = learnt_novelty(seen, np.arange(300))
    line_model = LineModel("m", planes, Calibration(0.1, 0.0), Band(0.2, 0.4, 0.6), kind, novelty)
    some = np.concatenate([rng.normal(1, 0.3, (30, 1_152)), rng.normal([[3, 1] * 576], 1, (2, 1_152))]).astype(
        np.float32
    )
    together = line_model.judge_all(some)
    assert together == [line_model.judge(vector) for vector in some]
    assert {judgement.outcome for judgement in together} == {"intact", "unsure", "damaged"}
    assert {judgement.label for judgement in together} == {None, *DAMAGE_KINDS}
    assert all(str(judgement.reason).startswith(UNLIKE.beginning) for judgement in together[-2:])
