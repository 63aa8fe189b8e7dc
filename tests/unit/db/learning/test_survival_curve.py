import math

import pytest

from db.learning.survival_curve import LEVELS, SurvivalCurve


def weibull(scale: float, shape: float, age: float = 0.0) -> SurvivalCurve:
    """The curve of an insert of that age, from the formula."""
    done = (age / scale) ** shape
    return SurvivalCurve(tuple(scale * (done - math.log(level)) ** (1 / shape) - age for level in LEVELS))


def test_it_says_the_median_and_the_interval_of_its_law() -> None:
    curve = weibull(20, 2.5)
    assert curve.median == pytest.approx(20 * math.log(2) ** 0.4)
    assert curve.interval == pytest.approx((20 * (-math.log(0.9)) ** 0.4, 20 * (-math.log(0.1)) ** 0.4))
    assert [curve.intact_after(at) for at in (0, curve.median, *curve.interval)] == pytest.approx([1, 0.5, 0.9, 0.1])
    assert curve.intact_after(-3) == 1


@pytest.mark.parametrize("age", [3.0, 15.0])
def test_of_an_older_insert_it_says_what_the_law_says(age: float) -> None:
    older, expected = weibull(20, 2.5).after(age), weibull(20, 2.5, age)
    assert older.operations == pytest.approx(expected.operations, rel=0.1)
    assert weibull(20, 2.5).after(0) == weibull(20, 2.5)


def test_it_goes_on_behind_its_last_level() -> None:
    constant = weibull(10, 1)
    assert constant.intact_after(100) == pytest.approx(math.exp(-10))
    assert constant.after(200).operations == pytest.approx(constant.operations)


def test_the_mean_within_some_operations_is_the_area_below_it() -> None:
    assert weibull(10, 1).mean_within(5) == pytest.approx(10 * (1 - math.exp(-0.5)), rel=1e-3)


@pytest.mark.parametrize("operations", [(1.0, 2.0), (0.0, *range(1, 15)), (*range(1, 15), 14.0)])
def test_what_is_no_curve_is_refused(operations: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="survival curve"):
        SurvivalCurve(operations)
