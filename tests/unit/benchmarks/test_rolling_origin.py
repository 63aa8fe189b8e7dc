import math

import pytest

from benchmarks.rolling_origin import FollowedLife, MethodScore, judge
from benchmarks.simulated_plant import SimulatedPlant
from db.learning.change_cost import ChangeCosts
from worker.lives.life import CensoredLife


def test_at_an_origin_only_what_was_seen_by_then_is_known() -> None:
    followed = FollowedLife(CensoredLife("h", 2, 3, "worn"), (1, 2, 3), (11, 12, 13))
    assert followed.known_at(10.9) is None
    assert followed.known_at(11.5) == CensoredLife("h", 1)
    assert followed.known_at(12) == CensoredLife("h", 2)
    assert followed.known_at(13) == followed.life
    assert [followed.is_in_use(at) for at in (10, 11, 12.9, 13)] == [False, True, True, False]
    assert followed.end == 2.5


def test_a_score_counts_what_the_interval_holds_and_how_far_off_it_is() -> None:
    score = MethodScore()
    score.take((2, 5, 9), 5)
    score.take((2, 5, 9), 11)
    assert score.coverage == 0.5
    assert score.pinball == pytest.approx(((0.3 + 0 + 0.4) / 3 + (0.9 + 3 + 1.8) / 3) / 2)
    assert math.isnan(MethodScore().coverage)


@pytest.mark.slow
def test_on_plants_with_known_lives_the_interval_holds_what_it_says_and_the_rule_saves() -> None:
    costs, judged = ChangeCosts(1, 4), None
    for seed in range(3):
        judged = judge(SimulatedPlant().lives(seed), (30, 60), costs, judged)
    assert judged is not None
    scores, bills = judged.scores, judged.bills
    assert scores["weibull"].answers > 200
    assert 0.75 <= scores["weibull"].coverage <= 0.85
    assert scores["weibull"].pinball < scores["kaplan_meier"].pinball
    assert bills["weibull"].rate < min(bills["fixed"].rate, bills["until_damaged"].rate)


def test_while_too_few_lives_have_ended_nobody_is_asked() -> None:
    judged = judge(SimulatedPlant(heads=1, pockets=2).lives(0), (5,), ChangeCosts(1, 4))
    assert judged.scores["weibull"].answers == 0
