import numpy as np
import pytest
from sklearn.calibration import _sigmoid_calibration

from worker.models.calibration import Calibration, CalibrationError, calibration_error, reliability
from worker.models.platt_scaling import calibrate

RNG = np.random.default_rng(0)


def drawn(slope, offset, count, rng=RNG):
    """Decisions, and labels that are 1 with the probability of a sigmoid with this slope and offset."""
    decisions = rng.normal(size=count)
    return decisions, (rng.random(count) < 1 / (1 + np.exp(-(slope * decisions + offset)))).astype(np.int64)


def test_the_true_sigmoid_is_found_again():
    calibration = calibrate(*drawn(3.0, -1.0, 20_000))
    assert calibration.slope == pytest.approx(3.0, abs=0.15)
    assert calibration.offset == pytest.approx(-1.0, abs=0.1)


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e5])
def test_it_is_scikit_learns_sigmoid_in_any_unit(unit):
    decisions, labels = drawn(2.0, 0.5, 300)
    calibration = calibrate(decisions * unit, labels)
    a, b = _sigmoid_calibration(decisions, labels)
    expected = 1 / (1 + np.exp(a * decisions + b))
    np.testing.assert_allclose(calibration.probabilities(decisions * unit), expected, atol=1e-4)


def test_one_value_and_many_are_the_same_and_extremes_do_not_overflow():
    calibration = Calibration(2.0, -0.3)
    decisions = np.array([-1e6, -2.0, 0.0, 0.4, 1e6])
    many = calibration.probabilities(decisions)
    assert [calibration.probability(float(value)) for value in decisions] == pytest.approx(many.tolist())
    assert many[0] == 0.0
    assert many[-1] == 1.0
    assert (np.diff(many) > 0).all()


def test_decisions_that_point_the_wrong_way_say_only_the_share_of_damaged():
    decisions, labels = drawn(3.0, 0.0, 400)
    calibration = calibrate(-decisions, labels)
    assert calibration.slope == 0
    assert calibration.probability(5.0) == pytest.approx(labels.mean(), abs=0.01)


def test_separated_sides_get_a_finite_slope():
    calibration = calibrate(np.array([-2.0, -1, 1, 2]), np.array([0, 0, 1, 1]))
    assert 0.5 < calibration.probability(1.0) < 1


def test_weights_count_as_if_a_label_came_so_often_and_those_of_weight_nothing_not_at_all():
    decisions, labels = drawn(2.0, -1.0, 300)
    times = RNG.integers(0, 4, 300)
    weighted = calibrate(decisions, labels, times.astype(float))
    repeated = calibrate(np.repeat(decisions, times), np.repeat(labels, times))
    assert weighted.slope == pytest.approx(repeated.slope, rel=0.01)
    assert weighted.offset == pytest.approx(repeated.offset, rel=0.01, abs=0.01)
    wrong = calibrate(-decisions, labels, times.astype(float))
    assert (wrong.slope, wrong.probability(1.0)) == (0, pytest.approx(np.average(labels, weights=times), abs=0.01))


@pytest.mark.parametrize(
    ("decisions", "labels"), [([1.0, 2], [1, 1]), ([1.0, 2], [0, 0]), ([1.0, np.nan], [0, 1]), ([np.inf, 0], [0, 1])]
)
def test_what_cannot_be_calibrated_is_refused(decisions, labels):
    with pytest.raises(CalibrationError):
        calibrate(np.array(decisions), np.array(labels))


@pytest.mark.parametrize(("slope", "offset"), [(-1.0, 0.0), (np.nan, 0.0), (1.0, np.inf)])
def test_a_calibration_that_is_none_is_refused(slope, offset):
    with pytest.raises(CalibrationError):
        Calibration(slope, offset)


def test_the_calibration_error_is_the_mean_distance_by_images():
    probabilities, labels = np.array([0.05, 0.05, 0.95, 0.95, 1.0]), np.array([0, 1, 1, 1, 0])
    # Two images at 0.05 of which half are damaged; three at 0.9667 on average of which two thirds are.
    assert calibration_error(probabilities, labels) == pytest.approx((2 * 0.45 + 3 * 0.3) / 5)
    assert [(each.count, each.damaged) for each in reliability(probabilities, labels)] == [(2, 0.5), (3, 2 / 3)]


def test_true_probabilities_have_a_small_error_and_wrong_ones_a_large_one():
    decisions, labels = drawn(2.0, 0.0, 10_000)
    assert calibration_error(Calibration(2.0, 0.0).probabilities(decisions), labels) < 0.02
    assert calibration_error(Calibration(20.0, 0.0).probabilities(decisions), labels) > 0.1
