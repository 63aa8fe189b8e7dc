from __future__ import annotations

import numpy as np
import pytest

from worker.models.calibration import Calibration
from worker.models.calibration_check import CalibrationCheck
from worker.models.unsure_band import Band
from worker.models.venn_abers import LOOKED_AT, MOST_PHOTOGRAPHS, check, interval

BAND = Band(0.05, 0.2, 0.8)


def photographs(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decision values whose probability of damage is that of `Calibration(1, 0)`, their labels and inserts."""
    rng = np.random.default_rng(seed)
    decisions = rng.normal(0, 3, count)
    labels = (rng.random(count) < Calibration(1.0, 0.0).probabilities(decisions)).astype(np.int64)
    return decisions, labels, np.arange(count)


def test_an_interval_is_of_both_labels_that_a_photograph_may_have() -> None:
    decisions, labels = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 0, 1, 1])
    # As intact all from it on are pooled: none of 1 is damaged below, two of three above.
    assert interval(3.0, decisions, labels) == (pytest.approx(2 / 3), pytest.approx(1.0))
    assert interval(-3.0, decisions, labels) == (pytest.approx(0.0), pytest.approx(1 / 3))
    assert interval(0.0, decisions, labels) == (pytest.approx(0.0), pytest.approx(1.0))


def test_one_of_its_ends_is_calibrated_whatever_the_decision_values_are() -> None:
    decisions, labels, _ = photographs(600)
    warped = decisions**3
    of_known, new = slice(None, 300), range(300, 600)
    ends = np.array([interval(warped[row], warped[of_known], labels[of_known]) for row in new])
    share = labels[300:].mean()
    assert ends[:, 0].mean() - 0.05 <= share <= ends[:, 1].mean() + 0.05


@pytest.mark.slow
def test_the_right_probabilities_lie_in_it_and_wrong_ones_do_not() -> None:
    right = check(Calibration(1.0, 0.0), BAND, *photographs(1000))
    wrong = check(Calibration(4.0, 0.0), BAND, *photographs(1000))
    assert right.photographs == LOOKED_AT
    assert right.outside < 0.03
    assert wrong.outside > 3 * right.outside


def test_more_labels_know_more() -> None:
    widths = [check(Calibration(1.0, 0.0), BAND, *photographs(count)).width for count in (40, 1000)]
    assert widths[1] < widths[0] / 2


def test_few_labels_decide_less_by_either_end() -> None:
    few = check(Calibration(1.0, 0.0), BAND, *photographs(40))
    assert few.decided > 0
    assert few.decided_by_both < few.decided


def test_an_insert_is_no_witness_for_itself() -> None:
    decisions, labels, inserts = photographs(30)
    alone = check(Calibration(1.0, 0.0), BAND, decisions, labels, inserts)
    twice = check(Calibration(1.0, 0.0), BAND, *(np.repeat(values, 2) for values in (decisions, labels, inserts)))
    assert alone.photographs == 30
    assert twice.photographs == 60
    one_insert_each_side = check(Calibration(1.0, 0.0), BAND, decisions, labels, labels)
    assert one_insert_each_side.width > alone.width


@pytest.mark.slow
def test_of_very_many_photographs_some_are_drawn() -> None:
    assert check(Calibration(1.0, 0.0), BAND, *photographs(MOST_PHOTOGRAPHS + 500)).photographs == LOOKED_AT


def test_it_is_read_from_a_models_metrics_and_said_in_words() -> None:
    told = CalibrationCheck(194, 0.0312, 0.0041, 0.7, 0.64)
    assert CalibrationCheck.of({"calibration_check": dict(vars(told))}) == told
    assert CalibrationCheck.of({}) is None
    assert told.sentence() == (
        "Venn-Abers, of 194 photographs: half of the probabilities are known to within 0.031, and the calibrated ones "
        "lie 0.004 outside on average; 70% of the photographs are decided, 64% by either end of the interval."
    )
