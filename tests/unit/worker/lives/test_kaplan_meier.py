import math

import pytest

from worker.lives.kaplan_meier import kaplan_meier
from worker.lives.life import CensoredLife


def ended(at: float, entry: float = 0) -> CensoredLife:
    return CensoredLife("head", at - 0.5, at + 0.5, entry=entry)


def in_use(age: float) -> CensoredLife:
    return CensoredLife("head", age)


def test_it_is_the_product_of_the_shares_that_stay() -> None:
    estimate = kaplan_meier([ended(6), ended(6), in_use(6), ended(7), in_use(9), ended(10), in_use(11)])
    assert estimate.ages.tolist() == [6, 7, 10]
    shares = [5 / 7, 5 / 7 * 3 / 4, 5 / 7 * 3 / 4 * 1 / 2]
    assert estimate.intact.tolist() == pytest.approx(shares)
    assert [estimate.at(age) for age in (0, 5.9, 6, 8, 40)] == pytest.approx([1, 1, shares[0], shares[1], shares[2]])
    assert [estimate.remaining(5, level) for level in (0.9, 0.6, 0.1)] == [1, 2, 5]


def test_an_insert_that_was_seen_late_is_at_risk_from_then_on() -> None:
    assert kaplan_meier([ended(3), ended(8, entry=5)]).intact.tolist() == [0, 0]
    assert kaplan_meier([ended(3), ended(8)]).intact.tolist() == [0.5, 0]


def test_without_an_end_it_says_nothing() -> None:
    for lives in ([], [in_use(4)]):
        assert kaplan_meier(lives).at(100) == 1
        assert kaplan_meier(lives).cheapest_age(1, 4) == math.inf


def test_inserts_that_end_together_are_changed_just_before() -> None:
    assert kaplan_meier([ended(20) for _ in range(9)] + [ended(2)]).cheapest_age(1, 4) == 20
    assert kaplan_meier([ended(age) for age in (1, 1, 1, 200)]).cheapest_age(1, 4) == 200
