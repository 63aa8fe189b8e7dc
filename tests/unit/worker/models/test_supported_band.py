from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from worker.models.costs import Costs
from worker.models.error_bound import GOAL, ErrorBound
from worker.models.supported_band import LIKELY, error_bound, error_limit, supported
from worker.models.unsure_band import Band, band

COSTS = band(Costs())


def decisions(*kinds: tuple[int, float, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, labels and inserts: of each kind (how many, probability, label), each an insert of its own."""
    probabilities = np.concatenate([np.full(count, probability) for count, probability, _ in kinds])
    labels = np.concatenate([np.full(count, label) for count, _, label in kinds])
    return probabilities, labels, np.arange(len(labels))


@pytest.mark.parametrize(
    ("wrong", "decided", "limit"), [(0, 50, 0.058), (1, 50, 0.091), (0, 299, 0.010), (1, 299, 0.016), (3, 3, 1.0)]
)
def test_the_error_that_can_be_promised_is_that_of_clopper_and_pearson(wrong: int, decided: int, limit: float) -> None:
    assert error_limit(wrong, decided) == pytest.approx(limit, abs=5e-4)


@pytest.mark.parametrize(("wrong", "decided"), [(0, 30), (2, 60), (7, 400)])
def test_at_the_limit_so_few_wrong_ones_have_a_chance_of_one_in_twenty(wrong: int, decided: int) -> None:
    assert binom.cdf(wrong, decided, error_limit(wrong, decided)) == pytest.approx(0.05)


def test_where_enough_is_right_the_band_is_that_of_the_costs() -> None:
    assert supported(COSTS, *decisions((14, 0.01, 0), (4, 0.95, 1), (9, 0.5, 1))) == COSTS


@pytest.mark.parametrize("intact", [0, 1, 13])
def test_too_few_inserts_leave_nothing_intact(intact: int) -> None:
    limits = supported(COSTS, *decisions((intact, 0.01, 0), (40, 0.95, 1)))
    assert (limits.lower, limits.upper) == (0.0, COSTS.upper)


def test_photographs_of_one_insert_count_once() -> None:
    probabilities, labels, _ = decisions((300, 0.01, 0), (40, 0.95, 1))
    few = np.append(np.arange(300) // 30, np.arange(100, 140))
    assert supported(COSTS, probabilities, labels, few).lower == 0


def test_a_limit_is_moved_past_the_wrong_ones_until_it_keeps_what_it_claims() -> None:
    answers = decisions((30, 0.01, 0), (4, 0.03, 1), (10, 0.04, 0), (20, 0.9, 1), (40, 0.87, 0), (60, 0.95, 1))
    limits = supported(COSTS, *answers)
    assert limits.lower == 0.03
    assert limits.upper == pytest.approx(0.87)
    assert not limits.decided(np.array([0.03, 0.87])).any()  # neither of the places where it is wrong
    assert limits.decided(np.array([0.0299, 0.9])).all()
    below = answers[0] < limits.lower
    assert error_limit((answers[1][below] == 1).sum(), below.sum(), LIKELY) <= COSTS.lower


def test_a_few_wrong_ones_among_many_right_move_nothing() -> None:
    assert supported(COSTS, *decisions((400, 0.01, 0), (10, 0.02, 1), (100, 0.9, 1), (10, 0.85, 0))) == COSTS


def test_where_a_look_is_never_the_cheapest_the_band_stays_empty() -> None:
    empty = band(Costs(look=100))
    assert supported(empty, *decisions((1, 0.01, 0), (1, 0.95, 1))) == empty


def test_of_chance_the_error_is_rarely_above_what_the_band_claims() -> None:
    """Sets of which nobody knows how right the probabilities are: at true odds twice the claimed, few are decided."""
    rng = np.random.default_rng(0)
    kept = 0
    for _ in range(200):
        labels = (rng.random(60) < 0.1).astype(np.int64)  # one in ten is damaged, not one in twenty
        kept += supported(COSTS, np.full(60, 0.01), labels, np.arange(60)).lower > 0
    assert kept < 40


def test_a_promise_counts_inserts_and_what_is_missing() -> None:
    probabilities, labels, inserts = decisions((100, 0.01, 0), (49, 0.95, 1), (1, 0.95, 0), (50, 0.5, 1))
    given = error_bound(COSTS, probabilities, labels, inserts)
    needed = next(count for count in range(300, 600) if error_limit(1, count) <= GOAL)
    assert given == ErrorBound(
        200, 150, 1, pytest.approx(float(error_limit(1, 150))), math.ceil((needed - 150) * 200 / 150)
    )
    twice = error_bound(COSTS, *(np.repeat(each, 2) for each in (probabilities, labels, inserts)))
    assert twice == given


def test_enough_right_decisions_promise_the_goal() -> None:
    given = error_bound(COSTS, *decisions((200, 0.01, 0), (99, 0.95, 1)))
    assert (given.decided, given.wrong, given.missing) == (299, 0, 0)
    assert given.at_most <= GOAL
    assert given.sentence() == (
        "Cross-validation decides 299 of 299 inserts, 0 of them wrongly: at 95% confidence at most 1.0% of what is "
        "decided is wrong."
    )
    assert error_bound(COSTS, *decisions((200, 0.01, 0), (98, 0.95, 1))).missing == 1


def test_who_decides_nothing_promises_nothing() -> None:
    given = error_bound(Band(0.0, 0.2, 1.0), *decisions((20, 0.01, 0), (20, 0.95, 1)))
    assert given == ErrorBound(40, 0, 0, 1.0, 299)
    assert "nothing can be promised, and 299 more labelled inserts are missing" in given.sentence()


def test_a_promise_is_read_from_a_models_metrics() -> None:
    given = ErrorBound(200, 150, 1, 0.03, 420)
    assert ErrorBound.of({"promise": dict(vars(given))}) == given
    assert ErrorBound.of({}) is None
