import h5py
import numpy as np
import pytest

from worker.models import candidate as module
from worker.models import primal_newton, solver
from worker.models.candidate import CandidateError, binary, fit_candidate, folds
from worker.models.costs import Costs
from worker.models.linear_svm import ClassifierError
from worker.models.unsure_band import band


def inserts(count, images=3, columns=40, apart=1.0, alike=0.6, seed=0):
    """Photographs (count · images) of inserts that differ, every second of which is damaged; every fourth is broken."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), images)
    directions = rng.normal(size=(2, columns))
    features = rng.normal(size=(len(groups), columns)) + alike * rng.normal(size=(count, columns))[groups]
    damaged, broken = groups % 2 == 1, groups % 4 == 3
    features += apart * damaged[:, None] * directions[0] + apart * broken[:, None] * directions[1]
    labels = np.where(broken, "broken", np.where(damaged, "worn", "intact")).tolist()
    return features.astype(np.float32), labels, groups


def test_a_candidate_tells_the_sides_and_the_kinds_apart():
    features, labels, groups = inserts(60, images=5)
    candidate = fit_candidate(features, labels, groups, costs=Costs())
    truth = binary(labels)
    assert (candidate.classifier.predict(features) == truth).mean() > 0.95
    assert ((candidate.out_of_fold > 0) == truth).mean() > 0.9
    assert candidate.classifier.classes == ("intact", "damaged")
    assert candidate.kind is not None
    assert candidate.kind.classes == ("worn", "broken")
    damaged = truth == 1
    kinds = np.array(labels)[damaged] == "broken"
    assert (candidate.kind.predict(features[damaged]) == kinds).mean() > 0.95
    assert candidate.band == band(Costs())
    probabilities = candidate.calibration.probabilities(candidate.out_of_fold)
    assert probabilities[damaged].mean() > 0.8
    assert probabilities[~damaged].mean() < 0.2
    assert candidate.trained_on == 300
    np.testing.assert_allclose(candidate.usual, features[~damaged].mean(axis=0), atol=1e-5)
    assert candidate.novelty is not None
    assert np.mean([reason is not None for reason in candidate.novelty.reasons(features)]) < 0.02
    assert candidate.novelty.reasons(np.zeros((1, features.shape[1]), np.float32)) != [None]


def test_a_third_kind_of_damage_is_told_apart_once_there_is_enough_of_it(monkeypatch):
    monkeypatch.setattr(module, "DAMAGE_KINDS", ("worn", "broken", "chipped"))
    features, labels, groups = inserts(60, images=5)
    labels = np.array(labels, object)
    chipped = np.flatnonzero(groups % 8 == 3)
    features[chipped] += 2 * np.random.default_rng(9).normal(size=features.shape[1]).astype(np.float32)
    solved, hyperparameters = solver.solver_for(features), module.Hyperparameters(1.0)
    labels[chipped[: module.FEWEST_KINDS - 1]] = "chipped"
    two = module._kinds(solved, labels, hyperparameters)
    assert (two.classes, two.coef.shape) == (("worn", "broken"), (1, features.shape[1]))
    labels[chipped] = "chipped"
    three = module._kinds(solved, labels, hyperparameters)
    assert (three.classes, three.coef.shape) == (("worn", "broken", "chipped"), (3, features.shape[1]))
    damaged = labels != "intact"
    assert (np.array(three.classes)[three.predict(features[damaged])] == labels[damaged]).mean() > 0.95


def test_weights_move_the_probabilities_to_the_line_and_not_the_decisions():
    features, labels, groups = inserts(120, images=1, apart=0.15)
    weights = np.where(binary(labels) == 1, 0.1, 1.9)
    plain = fit_candidate(features, labels, groups, costs=Costs())
    moved = fit_candidate(features, labels, groups, costs=Costs(), weights=weights)
    np.testing.assert_array_equal(plain.out_of_fold, moved.out_of_fold)
    said = moved.calibration.probabilities(moved.out_of_fold)
    assert np.average(said, weights=weights) == pytest.approx(0.05, abs=0.02)
    assert plain.calibration.probabilities(plain.out_of_fold).mean() == pytest.approx(0.5, abs=0.05)
    assert moved.calibration_check.outside < 0.1


def test_the_same_set_gives_the_same_candidate():
    one, two = (fit_candidate(*inserts(20), costs=Costs()) for _ in range(2))
    np.testing.assert_array_equal(one.classifier.coef, two.classifier.coef)
    np.testing.assert_array_equal(one.out_of_fold, two.out_of_fold)
    np.testing.assert_array_equal(one.novelty.learnt, two.novelty.learnt)
    assert (one.C, one.standardised, one.calibration) == (two.C, two.standardised, two.calibration)


def test_too_few_of_a_kind_leave_out_the_finer_model():
    features, labels, groups = inserts(20)
    candidate = fit_candidate(features, labels, groups, costs=Costs())
    assert candidate.kind is None


def test_out_of_fold_decisions_have_not_seen_the_insert():
    # Labels without any meaning: who has seen the insert knows it by heart, who has not can only guess.
    features, _, groups = inserts(80, images=4, columns=400, apart=0.0, alike=3.0)
    meaningless = np.random.default_rng(5).integers(0, 2, 80)[groups]
    labels = np.where(meaningless == 1, "damaged", "intact").tolist()
    candidate = fit_candidate(features, labels, groups, costs=Costs())
    assert (candidate.classifier.predict(features) == meaningless).mean() > 0.95
    assert 0.3 < ((candidate.out_of_fold > 0) == meaningless).mean() < 0.7
    assert candidate.calibration.slope < 2


def test_zero_parts_sides_of_very_different_size_where_both_are_equally_likely():
    features, labels, groups = inserts(240, images=1, apart=0.35, columns=60)
    few = np.flatnonzero((groups % 2 == 0) | (groups % 16 == 1))  # eight intact to one damaged
    labels, sides = [labels[row] for row in few], binary([labels[row] for row in few])
    candidate = fit_candidate(features[few], labels, groups[few], costs=Costs())
    answers = candidate.out_of_fold > 0
    missed, needless = (~answers[sides == 1]).mean(), answers[sides == 0].mean()
    assert abs(missed - needless) < 0.25
    # At 0 the odds of damage are those of the labels, since the evidence is for neither side.
    assert candidate.calibration.probability(0.0) == pytest.approx((sides == 1).mean(), abs=1e-9)


def test_features_of_very_different_size_are_standardised_and_the_model_takes_them_as_they_are():
    features, labels, groups = inserts(60, apart=0.8)
    features[:, ::2] *= 0.01
    noise = np.random.default_rng(1).normal(size=(len(labels), 20)) * 300 + 50
    features = np.hstack([features, noise, np.full((len(labels), 1), 7.0)]).astype(np.float32)
    candidate = fit_candidate(features, labels, groups, costs=Costs())
    assert candidate.standardised
    assert candidate.classifier.coef[0, -1] == 0  # a feature that never changes says nothing
    assert (candidate.classifier.predict(features) == binary(labels)).mean() > 0.95


@pytest.mark.timeout(60)
def test_features_that_differ_by_little_more_than_rounding_say_nothing():
    """Such are the rows of black beside the edge of a cut-out; libsvm found no end with them."""
    features, labels, groups = inserts(30, images=2, apart=0.8)
    black = 25 + 2e-5 * np.random.default_rng(1).integers(0, 3, (len(labels), 200))
    features = np.hstack([features, black]).astype(np.float32)
    candidate = fit_candidate(features, labels, groups, costs=Costs())
    assert not candidate.classifier.coef[0, -200:].any()
    assert (candidate.classifier.predict(features) == binary(labels)).mean() > 0.95


@pytest.mark.slow
def test_many_rows_on_disk_are_learned_in_passes(tmp_path, monkeypatch):
    monkeypatch.setattr(solver, "GRAM_ROWS", 100)
    monkeypatch.setattr(primal_newton, "_BLOCK_BYTES", 4 * 40 * 50)
    monkeypatch.setattr(module, "TRIAL_ROWS", 90)
    features, labels, groups = inserts(100, apart=0.6)
    with h5py.File(tmp_path / "f.h5", "w") as file:
        stored = file.create_dataset("dataset_1", data=features)
        candidate = fit_candidate(stored, labels, groups, costs=Costs())
    assert (candidate.classifier.predict(features) == binary(labels)).mean() > 0.9
    assert ((candidate.out_of_fold > 0) == binary(labels)).mean() > 0.8


@pytest.mark.parametrize(
    ("labels", "groups", "message"),
    [
        (["intact"] * 6, [0, 1, 2, 3, 4, 5], "at least two intact and of two damaged inserts"),
        (["intact", "intact", "worn", "worn"], [0, 1, 2, 2], "at least two intact and of two damaged inserts"),
        (["intact", "worn", "unusable", "worn"], [0, 1, 2, 3], "unusable"),
        (["intact", "worn", "worn"], [0, 1], "3 rows of features, 3 labels and 2 groups"),
    ],
)
def test_too_little_to_learn_from_says_what_is_missing(labels, groups, message):
    features = np.random.default_rng(0).normal(size=(len(labels), 3)).astype(np.float32)
    with pytest.raises(CandidateError, match=message):
        fit_candidate(features, labels, np.array(groups), costs=Costs())


def test_features_that_are_all_the_same_are_refused():
    with pytest.raises(ClassifierError, match="same features"):
        fit_candidate(
            np.ones((8, 3), np.float32), ["intact", "worn"] * 4, np.array([0, 1, 2, 3, 4, 5, 6, 7]), costs=Costs()
        )


def test_folds_keep_inserts_together_and_have_both_sides():
    _, labels, groups = inserts(15, images=4)
    sides = binary(labels)
    parts = folds(sides, groups, seed=3)
    assert sorted(np.concatenate([held for _, held in parts])) == list(range(60))
    for fit, held in parts:
        assert not set(groups[fit]) & set(groups[held])
        assert set(sides[fit]) == {0, 1}
