import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.models.costs import BandError, Costs
from worker.models.unsure_band import Band, band, cost, coverage_at_accuracy, risk_coverage_curve

AMOUNT = st.floats(0.01, 1000)


@given(AMOUNT, AMOUNT, AMOUNT, st.floats(0, 1))
def test_every_answer_is_the_cheapest_one(missed, needless, look, probability):
    costs = Costs(missed, needless, look)
    found = band(costs)
    paid = {"intact": probability * missed, "damaged": (1 - probability) * needless, "unsure": look}
    assert paid[found.side(probability)] <= min(paid.values()) * (1 + 1e-6) + 1e-9


def test_the_default_costs():
    found = band(Costs())
    assert (found.lower, found.threshold, found.upper) == pytest.approx((0.05, 0.2, 0.8))
    assert [found.side(value) for value in (0.0, 0.049, 0.051, 0.5, 0.79, 0.81, 1.0)] == [
        "intact", "intact", "unsure", "unsure", "unsure", "damaged", "damaged",
    ]  # fmt: skip


def test_a_dear_look_leaves_nothing_unsure():
    found = band(Costs(20, 5, look=10))
    assert found.lower == found.threshold == found.upper == 0.2
    assert found.decided(np.linspace(0, 1, 101)).all()
    assert (found.side(0.199), found.side(0.2)) == ("intact", "damaged")


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_costs_that_make_no_sense_are_named(value):
    with pytest.raises(BandError, match="needless_change"):
        Costs(needless_change=value)


@pytest.mark.parametrize("limits", [(0.5, 0.4, 0.6), (-0.1, 0.4, 0.6), (0.1, 0.4, 1.1), (0.1, float("nan"), 0.9)])
def test_limits_that_do_not_rise_are_refused(limits):
    with pytest.raises(BandError):
        Band(*limits)


def test_cost_is_what_each_answer_costs():
    probabilities, labels = np.array([0.0, 0.0, 0.5, 0.9, 0.9]), np.array([0, 1, 1, 0, 1])
    # Right, a missed one (20), a look (1), a needless change (5), right.
    assert cost(band(Costs()), Costs(), probabilities, labels) == pytest.approx(26 / 5)


def test_the_trade_falls_from_the_surest_to_all():
    even = Band(0.5, 0.5, 0.5)
    probabilities, labels = np.array([0.01, 0.99, 0.2, 0.6, 0.6]), np.array([0, 1, 1, 1, 0])
    assert [(point.coverage, point.accuracy) for point in risk_coverage_curve(even, probabilities, labels)] == [
        (0.4, 1.0), (0.6, pytest.approx(2 / 3)), (1.0, pytest.approx(3 / 5)),
    ]  # fmt: skip
    assert coverage_at_accuracy(even, probabilities, labels) == 0.4
    assert coverage_at_accuracy(even, probabilities, labels, accuracy=0.5) == 1.0
    assert coverage_at_accuracy(even, probabilities, 1 - labels) == 0.0
