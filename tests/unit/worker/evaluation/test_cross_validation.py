import numpy as np
import pytest

from worker.evaluation.assessed_rows import assessed_rows
from worker.evaluation.cross_validation import UNKNOWN, CrossValidation, cross_validate
from worker.evaluation.learning_curve import learning_curve
from worker.evaluation.promotion_rule import decide
from worker.evaluation.splits import grouped_splits, repeated_splits
from worker.models.candidate import CandidateError
from worker.models.costs import Costs


def inserts(count, images, apart, alike, seed=0, columns=30):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), images)
    labels = (groups % 2).astype(np.int64)
    features = rng.normal(size=(len(groups), columns)) + alike * rng.normal(size=(count, columns))[groups]
    features += apart * labels[:, None] * rng.normal(size=columns)
    return features.astype(np.float32), labels, groups


def assessed(*args, repeats=4, **options) -> dict[str, tuple[CrossValidation, CrossValidation | None]]:
    return cross_validate(*args, costs=Costs(), repeats=repeats, **options)


def test_plain_splits_flatter_where_an_insert_is_seen_more_than_once():
    features, _, groups = inserts(40, 5, apart=0.0, alike=4.0, columns=100)
    meaningless = np.random.default_rng(4).permutation(np.arange(40) % 2)[groups]
    found = assessed(features, meaningless, groups)
    plain, grouped = found["plain"][0].interval("balanced_accuracy"), found["grouped"][0].interval("balanced_accuracy")
    assert plain.mean > 0.8
    assert grouped.mean < 0.65
    assert grouped.low <= grouped.mean <= grouped.high


def test_of_very_many_images_some_whole_inserts_are_assessed(monkeypatch):
    features, labels, groups = inserts(60, 3, apart=0.5, alike=0.5)
    monkeypatch.setattr("worker.evaluation.assessed_rows.MOST_ASSESSED", 100)
    rows = assessed_rows(groups)
    assert 90 < len(rows) <= 100
    assert np.isin(groups, groups[rows]).sum() == len(rows), "whole inserts"
    champion = np.where(groups < 40, labels, UNKNOWN)
    found = assessed(features, labels, groups, champion_labels=champion)
    alone = assessed(features[rows], labels[rows], groups[rows], champion_labels=champion[rows])
    for kind, pair in found.items():
        for whole, part in zip(pair, alone[kind], strict=True):
            assert all(
                np.array_equal(ours.rows, rows[theirs.rows]) and np.array_equal(ours.decisions, theirs.decisions)
                for ours, theirs in zip(whole.splits, part.splits, strict=True)
            )
            assert whole.values("balanced_accuracy") == part.values("balanced_accuracy")
    curve = learning_curve(features, labels, groups, np.arange(180), found["grouped"][0], Costs())
    assert [point.labels for point in curve] == [round(len(rows) / 4), round(len(rows) / 2), len(rows)]


def test_the_splits_are_those_of_the_evaluation_and_the_scores_add_up():
    features, labels, groups = inserts(30, 3, apart=0.5, alike=0.5)
    told = []
    found = assessed(features, labels, groups, repeats=3, progress=lambda done, of: told.append((done, of)))
    assert told == [(done, 6) for done in range(1, 7)]
    drawn = {
        "plain": list(repeated_splits(labels, test_size=0.3, repeats=3)),
        "grouped": list(grouped_splits(labels, groups, test_size=0.3, repeats=3)),
    }
    for kind, (assessment, champion) in found.items():
        assert champion is None
        for split, tested in zip(drawn[kind], assessment.splits, strict=True):
            assert tested.rows.tolist() == split.test.tolist()
            right = (tested.decisions > 0) == (labels[tested.rows] == 1)
            assert tested.scores.accuracy == pytest.approx(right.mean())
        wrong = assessment.wrong(labels)
        errors = sum(round((1 - split.scores.accuracy) * split.scores.images) for split in assessment.splits)
        assert sum(each.wrong for each in wrong) == errors > 0
        assert all(0 < each.wrong <= each.tested for each in wrong)


def test_a_test_part_changes_nothing_in_what_was_learned_before():
    # Everything is chosen inside the training part: other labels in the test part leave the decisions alone.
    features, labels, groups = inserts(30, 3, apart=0.5, alike=0.5)
    split = next(iter(grouped_splits(labels, groups, test_size=0.3, repeats=1)))
    changed = labels.copy()
    changed[split.test] = 1 - changed[split.test]
    champion = np.where(np.isin(np.arange(90), split.train), labels, UNKNOWN)
    options = {"repeats": 1, "kinds": ("grouped",), "champion_labels": champion}
    ours, theirs = assessed(features, labels, groups, **options)["grouped"]
    assert theirs is not None
    np.testing.assert_allclose(ours.splits[0].decisions, theirs.splits[0].decisions)


def test_places_with_enough_images_have_an_accuracy_of_their_own():
    features, labels, groups = inserts(40, 3, apart=2.0, alike=0.2)
    places = ["mill-1"] * 60 + ["mill-2"] * 31 + ["mill-3"] * 29
    labels[60:91] = 1 - labels[60:91]  # at mill-2 the labels are wrong
    found = assessed(features, labels, groups, kinds=("grouped",))["grouped"][0].by_place(labels, places)
    assert set(found) == {"mill-1", "mill-2"}
    assert found["mill-1"] > 0.7
    assert found["mill-2"] < 0.5


def test_images_whose_label_has_changed_are_left_out_of_both():
    features, labels, groups = inserts(30, 3, apart=0.7, alike=0.5)
    before = labels.copy()
    before[:6] = 1 - before[:6]
    ours, theirs = assessed(features, labels, groups, kinds=("grouped",), champion_labels=before)["grouped"]
    assert theirs is not None
    for one, other in zip(ours.splits, theirs.splits, strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert not set(one.rows.tolist()) & set(range(6))


def test_a_candidate_from_more_labels_is_promoted_and_one_from_shuffled_labels_is_not():
    features, labels, groups = inserts(60, 3, apart=0.5, alike=0.5)
    before = np.where(np.arange(180) < 90, labels, UNKNOWN)
    better = assessed(features, labels, groups, kinds=("grouped",), champion_labels=before)["grouped"]
    assert decide(*better).promote, decide(*better).against
    shuffled = np.random.default_rng(3).permutation(labels)
    poisoned = assessed(features, shuffled, groups, kinds=("grouped",), champion_labels=before)["grouped"]
    decision = decide(*poisoned)
    assert not decision.promote
    assert any("above guessing" in sentence for sentence in decision.against)
    assert any("champion" in sentence for sentence in decision.against)
    assert not decide(poisoned[0], None).promote


def test_a_champion_that_knew_nothing_of_it_cannot_be_compared():
    features, labels, groups = inserts(10, 2, apart=1.0, alike=0.5)
    with pytest.raises(CandidateError, match="no split"):
        assessed(features, labels, groups, repeats=2, champion_labels=np.full(20, UNKNOWN))
