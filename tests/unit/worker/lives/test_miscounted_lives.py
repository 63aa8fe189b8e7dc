"""Lives that nobody can believe."""

from __future__ import annotations

import math

import numpy as np
import pytest

from worker.lives.life import CensoredLife
from worker.lives.miscounted_lives import miscounted
from worker.lives.weibull import fit


def _lives(count: int, scale: float = 20.0, stratum: str = "a") -> list[CensoredLife]:
    ages = scale * np.random.default_rng(1).weibull(3, count)
    return [CensoredLife(stratum, math.floor(age), math.floor(age) + 1) for age in ages]


@pytest.mark.parametrize(
    "wrong", [CensoredLife("a", 5000.0), CensoredLife("a", 500.0), CensoredLife("a", 999_999.0, 1_000_000.0)]
)
def test_one_wrong_count_spoils_no_answer(wrong: CensoredLife) -> None:
    lives = [*_lives(100), wrong]
    assert miscounted(lives) == {100}
    assert miscounted(lives[:100]) == set()
    right, spoiled = (fit(known) for known in (lives[:100], lives))
    assert right is not None
    assert spoiled is not None
    assert spoiled.curve("a").interval[1] > 1.3 * right.curve("a").interval[1]


def test_what_may_be_true_is_believed() -> None:
    assert miscounted([*_lives(9), CensoredLife("a", 5000.0)]) == set(), "so few have ended that nobody knows"
    assert miscounted([*_lives(50), CensoredLife("b", 5000.0)]) == set(), "of another head"
    longer = [CensoredLife("a", 300.0)] * 5
    assert miscounted([*_lives(50), *longer]) == set(), "they last longer since the coating is another one"
