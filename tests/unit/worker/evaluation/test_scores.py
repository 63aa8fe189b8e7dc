import math

import numpy as np
import pytest

from worker.evaluation.scores import corrected_error, interval, scores
from worker.models.calibration import Calibration
from worker.models.costs import Costs
from worker.models.unsure_band import band

CALIBRATION = Calibration(1.0, 0.0)


def test_every_score_by_hand():
    decisions = np.array([-5.0, -5.0, 1.0, 5.0, -5.0, 5.0, 0.0, 5.0])
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    found = scores(decisions, labels, CALIBRATION, band(Costs()), Costs())
    assert found.images == 8
    assert found.confusion == ((2, 2), (2, 2))  # a decision of just 0 is not damaged
    assert found.accuracy == 0.5
    assert found.balanced_accuracy == 0.5
    assert found.recall_damaged == 0.5
    # Unsure at 1.0 and 0.0 (probabilities 0.73 and 0.5), decided on the other six, of which four are right.
    assert found.decided == 6 / 8
    assert found.accuracy_decided == pytest.approx(4 / 6)
    assert found.missed == 1 / 4
    assert found.cost == pytest.approx((20 + 5 + 1 + 1) / 8)
    # Of the 16 pairs of a damaged and an intact one: 5 beats three and ties one, twice; 0 beats two; -5 ties two.
    assert found.auc == pytest.approx((3.5 + 3.5 + 2 + 1) / 16)


def test_nothing_decided_has_no_accuracy():
    found = scores(np.zeros(4), np.array([0, 0, 1, 1]), CALIBRATION, band(Costs()), Costs())
    assert (found.decided, found.accuracy_decided, found.missed, found.cost) == (0, None, 0, 1)


def test_one_side_alone_cannot_be_scored():
    with pytest.raises(ValueError, match="both sides"):
        scores(np.zeros(3), np.ones(3, np.int64), CALIBRATION, band(Costs()), Costs())


def test_the_error_counts_what_the_splits_share():
    values = [0.8, 0.9, 0.85, 0.95]
    assert corrected_error(values, 3 / 7) == pytest.approx(math.sqrt((1 / 4 + 3 / 7) * np.var(values, ddof=1)))
    assert corrected_error([0.8], 3 / 7) == math.inf


def test_the_interval_is_students_and_stays_in_its_limits():
    found = interval([0.8, 0.9, 0.85, 0.95], 3 / 7)
    half = 3.182446 * corrected_error([0.8, 0.9, 0.85, 0.95], 3 / 7)
    assert found.mean == pytest.approx(0.875)
    assert found.low == pytest.approx(0.875 - half)
    assert found.high == pytest.approx(min(1.0, 0.875 + half))
    assert interval([0.8], 3 / 7) == type(found)(0.8, 0.0, 1.0)
