import numpy as np
import pytest
from scipy.stats import ttest_rel

from worker.evaluation.cross_validation import CrossValidation, SplitResult
from worker.evaluation.promotion_rule import Newest, decide, worse_by_chance
from worker.evaluation.scores import Scores

NONE = np.zeros(0)


def assessment(balanced, recall=None, cost=None) -> CrossValidation:
    recall = balanced if recall is None else recall
    cost = [0.5] * len(balanced) if cost is None else cost
    splits = [
        SplitResult(seed, NONE.astype(np.int64), NONE, NONE, scores(*values))
        for seed, values in enumerate(zip(balanced, recall, cost, strict=True), 1)
    ]
    return CrossValidation("grouped", tuple(splits), 3 / 7)


def scores(balanced, recall, cost) -> Scores:
    return Scores(30, balanced, balanced, recall, 0.9, ((15, 0), (0, 15)), 0.05, 0.1, 0.8, 0.95, 0.0, cost)


GOOD = [0.90, 0.92, 0.88, 0.91, 0.89]


def test_without_a_champion_it_must_only_be_better_than_guessing():
    assert decide(assessment(GOOD), None).promote
    for guessing in ([0.5, 0.6, 0.4, 0.55, 0.45], [0.3, 0.31, 0.29, 0.3, 0.3], [0.9]):
        decision = decide(assessment(guessing), None)
        assert not decision.promote
        assert "guessing" in decision.against[0]


def test_the_same_again_is_promoted():
    decision = decide(assessment(GOOD), assessment(GOOD))
    assert decision.promote
    assert not decision.against
    assert len(decision.reasons) == 4


@pytest.mark.parametrize("worse", ["balanced", "recall", "cost"])
def test_a_little_worse_on_every_split_is_beyond_chance(worse):
    champion = {"balanced": GOOD, "recall": GOOD, "cost": GOOD}
    sign = -1 if worse == "cost" else 1
    ours = champion | {worse: [v - sign * d for v, d in zip(GOOD, (0.015, 0.016, 0.014, 0.015, 0.016), strict=True)]}
    decision = decide(assessment(**ours), assessment(**champion))
    assert not decision.promote
    assert len(decision.against) == 1
    assert worse in decision.against[0]
    assert "beyond chance" in decision.against[0]


def test_worse_by_less_than_chance_and_margin_is_promoted_and_by_more_is_not():
    within = [value + change for value, change in zip(GOOD, (0.03, -0.05, 0.02, -0.04, 0.02), strict=True)]
    assert decide(assessment(within), assessment(GOOD)).promote
    beyond = [value + change for value, change in zip(GOOD, (0.09, -0.2, 0.02, -0.2, -0.1), strict=True)]
    decision = decide(assessment(beyond), assessment(GOOD))
    assert any("margin" in sentence for sentence in decision.against)


def test_other_splits_cannot_be_compared():
    with pytest.raises(ValueError, match="same splits"):
        decide(assessment(GOOD), assessment(GOOD[:4]))


def test_the_paired_test_is_the_t_test_where_nothing_is_shared_and_stricter_where_it_is():
    ours, theirs = np.array([0.8, 0.85, 0.7, 0.9]), np.array([0.85, 0.86, 0.75, 0.89])
    plain = ttest_rel(ours, theirs, alternative="less").pvalue
    assert worse_by_chance((ours - theirs).tolist(), 0.0) == pytest.approx(plain)
    assert plain < worse_by_chance((ours - theirs).tolist(), 3 / 7) < 0.5


def newest(candidate_wrong, champion_wrong, count=60) -> Newest:
    labels = np.arange(count) % 2
    right = 2.0 * labels - 1
    flipped = [np.where(np.isin(np.arange(count), wrong), -right, right) for wrong in (candidate_wrong, champion_wrong)]
    return Newest(labels, *flipped)


def test_the_newest_labels_must_not_speak_for_the_champion():
    ours, theirs = assessment(GOOD), assessment(GOOD)
    assert decide(ours, theirs, newest(range(4), range(3))).promote
    assert decide(ours, theirs, newest([], range(30))).promote
    against = decide(ours, theirs, newest(range(10), [])).against
    assert any("the champion alone on 10" in sentence for sentence in against)
    # Ten damaged ones missed, and ten intact ones won: as good overall, and refused for the damaged.
    traded = decide(ours, theirs, newest(range(1, 21, 2), range(0, 20, 2))).against
    assert len(traded) == 1
    assert "damaged" in traded[0]


def test_guessing_on_the_newest_labels_is_refused_also_without_a_champion():
    wrong = Newest(np.arange(40) % 2, np.where(np.arange(40) < 20, 1.0, -1.0), None)
    assert not decide(assessment(GOOD), None, wrong).promote
    assert decide(assessment(GOOD), None, Newest(wrong.labels[:6], wrong.candidate[:6], None)).promote
