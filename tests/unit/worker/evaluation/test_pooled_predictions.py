from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from worker.evaluation.cross_validation import CrossValidation, SplitResult
from worker.evaluation.pooled_predictions import FEWEST_IN_A_PERIOD, PERIODS, PooledPredictions, pool
from worker.evaluation.scores import scores
from worker.models.calibration import Calibration
from worker.models.costs import Costs
from worker.models.unsure_band import Band, band, coverage_at_accuracy

START = datetime(2026, 3, 1, tzinfo=UTC)
EVEN = Band(0.5, 0.5, 0.5)
PLATT = Calibration(1.0, 0.0)


def assessment(labels, *answers) -> CrossValidation:
    """One split for each of `answers`: rows and their decision values."""
    splits = []
    for seed, (rows, decisions) in enumerate(answers, 1):
        rows, decisions = np.array(rows), np.array(decisions, float)
        measured = scores(decisions, labels[rows], PLATT, EVEN, Costs())
        splits.append(SplitResult(seed, rows, decisions, PLATT.probabilities(decisions), measured))
    return CrossValidation("grouped", tuple(splits), 3 / 7)


def test_answers_of_all_splits_are_held_against_the_truth_of_their_own_image():
    labels = np.array([0, 1, 0, 1])
    found = pool(assessment(labels, ([3, 0], [2.0, 1.0]), ([1, 2], [-1.0, -3.0]), ([0, 1], [-2.0, 2.0])), labels)
    assert found.rows.tolist() == [3, 0, 1, 2, 0, 1]
    assert found.truth.tolist() == [1, 0, 1, 0, 0, 1]
    assert found.right.tolist() == [True, False, False, True, True, True]
    assert found.probabilities[0] == pytest.approx(1 / (1 + np.exp(-2)))
    false, true = found.roc()
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert (np.diff(false) >= 0).all()
    assert sum(bar.count for bar in found.reliability()) == 6


def test_the_interval_of_the_share_decided_is_wider_when_the_images_are_of_few_inserts():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(60) % 2, 5)
    decisions = (2 * labels - 1) * 2 + np.repeat(rng.normal(size=60), 5) * 1.5
    found = pool(assessment(labels, (np.arange(300), decisions)), labels)
    alone = found.decided(band(Costs()), np.arange(300))
    by_insert = found.decided(band(Costs()), np.repeat(np.arange(60), 5))
    assert alone.mean == by_insert.mean == assessment_share(labels, decisions)
    assert 0 <= by_insert.low <= by_insert.mean <= by_insert.high <= 1
    assert by_insert.high - by_insert.low > alone.high - alone.low > 0
    assert found.decided(band(Costs()), np.repeat(np.arange(60), 5)) == by_insert


def test_a_resample_decides_in_the_order_of_the_curve():
    # Every insert alike: whatever is drawn, the share is that of the whole, ties included.
    one = np.array([0.01, 0.01, 0.02, 0.1, 0.15, 0.3, 0.3, 0.6, 0.9, 0.97])
    truth = np.array([0, 0, 0, 1, 0, 1, 0, 1, 1, 1])
    times = 7
    found = PooledPredictions(np.arange(70), np.tile(one, times), np.ones(70, bool), np.tile(truth, times))
    for accuracy in (0.99, 0.85, 0.8, 0.5):
        interval = found.decided(band(Costs()), np.repeat(np.arange(times), 10), accuracy)
        share = coverage_at_accuracy(band(Costs()), one, truth, accuracy)
        assert (interval.low, interval.mean, interval.high) == pytest.approx((share, share, share))


def assessment_share(labels, decisions):
    return coverage_at_accuracy(band(Costs()), PLATT.probabilities(decisions), labels)


def test_a_model_that_drifts_is_seen_to_become_worse():
    labels = np.arange(200) % 2
    decisions = np.where(np.arange(200) < 100, 2 * labels - 1, 1 - 2 * labels).astype(float)
    captured = [START + timedelta(hours=hour) for hour in range(200)]
    periods = pool(assessment(labels, (np.arange(200), decisions)), labels).over_time(captured)
    assert len(periods) == 200 // FEWEST_IN_A_PERIOD <= PERIODS
    assert sum(period.images for period in periods) == 200
    assert [period.accuracy for period in periods] == [1.0] * 5 + [0.0] * 5
    assert (periods[0].start, periods[-1].end) == (captured[0], captured[-1])
    assert all(earlier.end < later.start for earlier, later in pairwise(periods))


def test_days_kept_follow_time_not_the_order_of_the_rows_and_leave_out_what_was_not_tested():
    labels = np.arange(90) % 2
    captured = [START + timedelta(hours=int(hour)) for hour in np.random.default_rng(1).permutation(90)]
    rows = np.arange(10, 90)
    periods = pool(assessment(labels, (rows, 2.0 * labels[rows] - 1)), labels).over_time(captured)
    assert [period.images for period in periods] == [20] * 4
    assert periods[0].start == min(captured[row] for row in rows)


def test_files_that_were_copied_at_once_are_one_period():
    labels = np.arange(100) % 2
    captured = [START + timedelta(milliseconds=row) for row in range(100)]
    (period,) = pool(assessment(labels, (np.arange(100), 2.0 * labels - 1)), labels).over_time(captured)
    assert (period.images, period.accuracy) == (100, 1.0)
