import math

import pytest

from db.learning.change_cost import ChangeCosts, best_age, now_or_later
from db.learning.survival_curve import LEVELS, SurvivalCurve

COSTS = ChangeCosts(1, 4)


def weibull(scale: float, shape: float) -> SurvivalCurve:
    return SurvivalCurve(tuple(scale * (-math.log(level)) ** (1 / shape) for level in LEVELS))


def rate_of(scale: float, shape: float, age: float) -> float:
    """The long-run cost of an operation, by the midpoint rule on the formula itself."""
    steps = 2000
    done = sum(math.exp(-((((i + 0.5) * age / steps) / scale) ** shape)) for i in range(steps)) * age / steps
    intact = math.exp(-((age / scale) ** shape))
    return (COSTS.planned * intact + COSTS.damaged * (1 - intact)) / done


def test_the_best_age_is_the_cheapest_of_the_law() -> None:
    age, rate = best_age(weibull(20, 3), COSTS)
    cheapest = min(rate_of(20, 3, at / 10) for at in range(20, 400))
    assert rate == pytest.approx(cheapest, rel=0.02)
    assert rate_of(20, 3, age) == pytest.approx(cheapest, rel=0.02)


def test_what_does_not_age_is_left_in_until_it_is_damaged() -> None:
    curve = weibull(20, 1)
    assert best_age(curve, COSTS)[0] == pytest.approx(curve.operations[-1], rel=0.15)


def test_a_worn_insert_is_cheaper_to_change_now_and_a_new_one_later() -> None:
    new = weibull(20, 4)
    now, later = now_or_later(new, new, 5, COSTS)
    assert now > later
    now, later = now_or_later(new.after(18), new, 5, COSTS)
    assert now < later <= COSTS.damaged - COSTS.planned


@pytest.mark.parametrize(("planned", "damaged"), [(0, 1), (2, 1)])
def test_costs_that_say_nothing_are_refused(planned: float, damaged: float) -> None:
    with pytest.raises(ValueError, match="planned change"):
        ChangeCosts(planned, damaged)
