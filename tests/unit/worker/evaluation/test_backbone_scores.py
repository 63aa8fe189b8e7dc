import numpy as np
import pytest

from worker.evaluation.backbone_scores import SHOWN, backbone_scores, calibration_slope, no_worse
from worker.evaluation.comparison_report import advice, comparison_figures, measured_json, short_names
from worker.evaluation.cross_validation import cross_validate
from worker.models.costs import Costs

INSERTS, IMAGES = 40, 3


def cross_validation(apart, kind="grouped", seed=0):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(INSERTS), IMAGES)
    labels = (groups % 2).astype(np.int64)
    features = (rng.normal(size=(len(groups), 12)) + apart * labels[:, None]).astype(np.float32)
    found = cross_validate(features, labels, groups, costs=Costs(), repeats=6, kinds=(kind,))
    return found[kind][0], labels, groups


@pytest.fixture(scope="module")
def good():
    return cross_validation(2.0)


@pytest.fixture(scope="module")
def poor():
    return cross_validation(0.1)


def test_scores_are_means_over_the_splits_with_intervals_beside_them(good):
    values = backbone_scores(*good).as_json()
    assert len(values["splits"]) == 6
    for name in SHOWN:
        assert values[name] == pytest.approx(np.mean([split[name] for split in values["splits"]]))
        low, high = values["intervals"][name]
        assert low <= values[name] <= high
    assert values["decided_99"] <= values["decided_95"] <= 1


def test_probabilities_that_are_too_bold_have_a_slope_below_one():
    rng = np.random.default_rng(2)
    log_odds = rng.normal(size=4000) * 2
    labels = (rng.random(4000) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    said = 1 / (1 + np.exp(-log_odds))
    bold = 1 / (1 + np.exp(-2 * log_odds))
    assert calibration_slope(said, labels) == pytest.approx(1, abs=0.1)
    assert calibration_slope(bold, labels) == pytest.approx(0.5, abs=0.05)


def test_what_is_worse_beyond_chance_is_left_out_and_the_fastest_of_the_rest_is_advised(good, poor):
    sets = {"slow:a": [good[0]], "fast:b": [good[0]], "poor:c": [poor[0]]}
    assert no_worse(sets) == ["slow:a", "fast:b"]
    scores = {
        name: [{"grouped": backbone_scores(*one), "plain": backbone_scores(*one)}]
        for name, one in zip(sets, (good, good, poor), strict=True)
    }
    sentence = advice(scores, {"slow:a": 0.1, "fast:b": 0.01, "poor:c": 0.001})
    assert sentence.startswith("Take fast:b: by insert")
    assert "slow:a" in sentence
    assert "poor:c" not in sentence
    assert "nothing to choose" in advice({"poor:c": scores["poor:c"]}, {"poor:c": 1.0})


def test_what_is_fast_is_not_advised_where_few_photographs_cannot_show_it_to_be_worse(good):
    fair = cross_validation(0.9, seed=1)
    scores = {name: [{"grouped": backbone_scores(*one)}] for name, one in {"slow:a": good, "fast:b": fair}.items()}
    accuracy = {name: sets[0]["grouped"].interval("balanced_accuracy").mean for name, sets in scores.items()}
    assert accuracy["slow:a"] > accuracy["fast:b"] + 0.01
    with pytest.MonkeyPatch.context() as few:
        few.setattr("worker.evaluation.comparison_report.no_worse", list)
        sentence = advice(scores, {"slow:a": 0.1, "fast:b": 0.01})
    assert sentence.startswith("Take slow:a: by insert these photographs cannot tell it from fast:b beyond chance.")
    assert f"{accuracy['slow:a']:.3f}" in sentence
    assert "fastest" not in sentence


def test_a_missing_kind_is_null_and_its_problem_is_named(good):
    plain = backbone_scores(*cross_validation(2.0, "plain"))
    values = measured_json({"plain": plain}, {"grouped": "one group"})
    assert values["grouped"] is None
    assert values["problems"] == {"grouped": "one group"}
    charts = comparison_figures({"a:b": {"plain": plain}})
    assert charts.keys() == {"confusion.png", "roc.png", "calibration.png", "decided.png"}
    assert all(png.startswith(b"\x89PNG") for png in charts.values())


def test_names_in_a_table_s_head_are_short_and_differ():
    names = ["vgg16:fc1", "lite:a+gap,b+gap+int8", "lite:a+gap,c+gap+int8", "lite:a+gap,b+gap"]
    assert list(short_names(names).values()) == ["vgg16:fc1", "lite int8 (1)", "lite int8 (2)", "lite"]
