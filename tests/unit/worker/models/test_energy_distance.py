"""Whether two samples differ: never more often than was said, and where they do."""

import numpy as np
import pytest

from worker.models.energy_distance import between_inserts, compared, hardly_chance, pairwise

DAYS = np.repeat(np.arange(5), 20)


@pytest.mark.slow
def test_days_that_are_alike_differ_no_more_often_than_the_level_says() -> None:
    rng = np.random.default_rng(3)
    rows = [rng.normal(size=(len(DAYS), 4)) for _ in range(120)]
    chances = np.array([compared(pairwise(some), DAYS, 4, seed=seed).chance for seed, some in enumerate(rows)])
    # Binomial limits at 120 trials that less than one in ten thousand such series passes.
    assert (chances <= 0.05).sum() <= 17
    assert (chances <= 0.5).mean() == pytest.approx(0.5, abs=0.18)


@pytest.mark.parametrize("columns", [None, 16], ids=["numbers", "features"])
def test_a_day_that_is_shifted_is_far_and_no_chance(columns) -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(len(DAYS),) if columns is None else (len(DAYS), columns))
    rows[DAYS == 2] += 1.5
    comparison = compared(pairwise(rows), DAYS, 2)
    assert comparison.chance == 0.001
    assert comparison.distance > 3 * max(comparison.usual, 0.02)
    assert compared(pairwise(rows), DAYS, 2) == comparison
    quiet = compared(pairwise(rows[DAYS != 2]), DAYS[DAYS != 2], 4)
    assert quiet.distance < 0.05


def test_nothing_in_common_is_one_and_all_the_same_is_nothing() -> None:
    apart = compared(pairwise(np.where(DAYS == 4, 9.0, 1.0)), DAYS, 4)
    assert (apart.distance, apart.usual) == (1.0, 0.0)
    same = compared(pairwise(np.ones(len(DAYS))), DAYS, 4)
    assert (same.distance, same.chance) == (0.0, 1.0)


def test_photographs_of_one_insert_count_as_one() -> None:
    values = np.array([1.0, 3.0, 10.0, 20.0])
    means = between_inserts(pairwise(values), np.array([0, 0, 1, 2]))
    assert means.tolist() == [[0, 8, 18], [8, 0, 10], [18, 10, 0]]


@pytest.mark.parametrize(("days", "day"), [([0, 0, 1, 1], 1), ([0, 0, 1, 1, 2], 2), ([0, 0, 1, 1, 2, 2], 3)])
def test_too_few_days_or_photographs_are_refused(days, day) -> None:
    with pytest.raises(ValueError, match="two others"):
        compared(pairwise(np.arange(float(len(days)))), np.array(days), day)


def test_of_several_chances_the_small_ones_count_by_holm() -> None:
    assert hardly_chance([0.04, 0.001, 0.003, 0.2], 0.01) == [False, True, True, False]
    assert hardly_chance([0.004, 0.004, 0.004], 0.01) == [False, False, False]
    assert hardly_chance([], 0.01) == []
