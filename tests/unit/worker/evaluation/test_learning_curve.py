"""The learning curve: of the first labels only, on inserts that were not learned from."""

import numpy as np

from worker.evaluation import learning_curve as subject
from worker.evaluation.cross_validation import cross_validate
from worker.evaluation.learning_curve import learning_curve
from worker.models.costs import Costs


def curve_of(flawed: int):
    """The curve of 120 images, of which the first so many have labels by chance."""
    rng = np.random.default_rng(1)
    truth, groups = np.tile([0, 1], 60), np.arange(120)
    features = rng.normal(size=(120, 6)) + 2.5 * truth[:, None]
    features[:flawed] = rng.normal(size=(flawed, 6))
    (whole, _) = cross_validate(features, truth, groups, costs=Costs(), repeats=3, kinds=("grouped",))["grouped"]
    return learning_curve(features, truth, groups, np.arange(120), whole, Costs())


def test_it_ends_with_all_labels_and_rises_where_the_first_ones_teach_nothing() -> None:
    curve = curve_of(flawed=30)
    assert [point.labels for point in curve] == [30, 60, 120]
    first, *_, last = (point.balanced_accuracy.mean for point in curve)
    assert last > first + 0.1


def test_a_share_that_is_too_small_to_learn_from_has_no_point(monkeypatch) -> None:
    monkeypatch.setattr(subject, "SHARES", (0.02, 0.5))
    assert [point.labels for point in curve_of(flawed=0)] == [60, 120]
