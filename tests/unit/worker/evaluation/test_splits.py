import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from worker.evaluation.splits import EvaluationError, SplitScore, grouped_splits, repeated_splits, score_splits
from worker.models.gram_svm import gram

LABELS = np.repeat([0, 1], [46, 148])


@pytest.mark.parametrize("test_size", [0.3, 0.25, 0.5])
@pytest.mark.parametrize("stratify", [True, False])
def test_a_split_is_the_labs_split(test_size, stratify):
    splits = list(repeated_splits(LABELS, test_size=test_size, repeats=7, stratify=stratify))
    assert [split.seed for split in splits] == [1, 2, 3, 4, 5, 6, 7]
    for split in splits:
        train, test = train_test_split(
            range(194), test_size=test_size, random_state=split.seed, stratify=LABELS if stratify else None
        )
        assert split.train.tolist() == train
        assert split.test.tolist() == test


@pytest.mark.parametrize("sizes", [(30, 30), (40, 9), (20, 12, 16)])
@pytest.mark.parametrize("stratify", [True, False])
def test_scores_are_scikit_learns_on_the_features(sizes, stratify):
    rng = np.random.default_rng(len(sizes))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    features = (rng.normal(size=(len(labels), 40)) + 0.4 * labels[:, None]).astype(np.float32)
    splits = list(repeated_splits(labels, test_size=0.3, repeats=5, stratify=stratify))
    scores = score_splits(gram(features), labels, splits, classes=len(sizes))
    for split, score in zip(splits, scores, strict=True):
        svc = SVC(kernel="linear", class_weight="balanced").fit(features[split.train], labels[split.train])
        expected = svc.predict(features[split.test])
        assert score.seed == split.seed
        assert score.predictions.tolist() == expected.tolist()
        truth = labels[split.test]
        assert score.accuracy == pytest.approx(accuracy_score(truth, expected))
        assert score.macro_recall == pytest.approx(recall_score(truth, expected, average="macro"))
        assert score.confusion.sum() == len(truth)
        assert score.confusion[1, 0] == ((truth == 1) & (expected == 0)).sum()


def test_a_class_without_a_test_image_does_not_count_in_the_recall():
    score = SplitScore(1, np.array([0, 0, 1]), np.array([[2, 1], [0, 0]]), 0.0)
    assert score.macro_recall == score.accuracy == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([0, 1, 1, 1, 1], {}, "at least 2 of each class"),
        ([0, 0, 1, 1], {"test_size": 0.2}, "4 images give 3 for training and 1 for testing"),
        ([0, 0, 1, 1], {"test_size": 0.8}, "give 0 for training|give 1 for training"),
        ([0], {"stratify": False}, "1 images give 0"),
        ([0, 1], {"test_size": 0.0}, "between 0 and 1"),
        ([0, 1], {"test_size": 1.0}, "between 0 and 1"),
        ([0, 0, 1, 1], {"repeats": 0}, "at least one repeat"),
    ],
)
def test_too_few_images_say_how_many_are_needed(labels, options, message):
    with pytest.raises(EvaluationError, match=message):
        list(repeated_splits(np.array(labels), **{"test_size": 0.3, "repeats": 2} | options))


def test_an_unstratified_split_with_one_class_left_is_named():
    labels = np.array([0] * 9 + [1])
    kernel = np.eye(10)
    with pytest.raises(EvaluationError, match=r"split \d+: .*one class"):
        score_splits(kernel, labels, repeated_splits(labels, test_size=0.3, repeats=20, stratify=False), classes=2)


def test_grouped_splits_never_share_a_group_keep_every_class_and_differ():
    rng = np.random.default_rng(3)
    groups = rng.permutation(np.repeat(np.arange(20), rng.integers(1, 12, 20)))
    labels = (groups % 4 == 0).astype(np.int64)
    splits = list(grouped_splits(labels, groups, test_size=0.3, repeats=10))
    assert len(splits) == 10
    for split in splits:
        assert not set(groups[split.train]) & set(groups[split.test])
        assert sorted([*split.train, *split.test]) == list(range(len(labels)))
        assert set(labels[split.train]) == set(labels[split.test]) == {0, 1}
        assert len(set(groups[split.test])) == 6  # 30 % of the groups
    assert len({tuple(split.test) for split in splits}) == 10
    again = list(grouped_splits(labels, groups, test_size=0.3, repeats=10))
    assert [split.test.tolist() for split in again] == [split.test.tolist() for split in splits]


@pytest.mark.parametrize(
    ("groups", "message"),
    [([0, 0, 0, 0], "all images are of one group"), ([0, 0, 1, 1], "never had every class on both sides")],
)
def test_groups_that_cannot_be_divided_say_why(groups, message):
    with pytest.raises(EvaluationError, match=message):
        list(grouped_splits(np.array([0, 0, 1, 1]), np.array(groups), test_size=0.5, repeats=1))
