import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulated_plant import SimulatedPlant
from worker.lives.kaplan_meier import kaplan_meier
from worker.lives.life import CensoredLife
from worker.lives.weibull import FEWEST, fit


def looked_at(ages: np.ndarray, every: int = 1, stratum: str = "head") -> list[CensoredLife]:
    """Lives that end at these ages, seen by a look after every so many operations."""
    return [CensoredLife(stratum, age // every * every, age // every * every + every) for age in ages]


def drawn(count: int, scale: float, shape: float, seed: int = 0) -> np.ndarray:
    return scale * np.random.default_rng(seed).weibull(shape, count)


def test_below_ten_ended_lives_it_is_silent() -> None:
    ends = looked_at(drawn(FEWEST, 20, 2.5))
    in_use = [CensoredLife("head", 5.0)] * 50
    assert fit(ends[1:] + in_use) is None
    assert fit(ends + in_use) is not None


def test_a_kind_of_damage_that_has_no_law_of_its_own_counts_as_one_that_nobody_named() -> None:
    ends = looked_at(drawn(FEWEST, 20, 2.5))
    unnamed, chipped = fit(ends), fit([replace(life, kind="chipped") for life in ends])  # type: ignore[arg-type]
    assert unnamed is not None
    assert chipped is not None
    assert unnamed.curve("head") == chipped.curve("head")


@pytest.mark.parametrize("every", [1, 8], ids=["each operation", "each eighth"])
def test_it_finds_the_law_whatever_lies_between_two_looks(every: int) -> None:
    result = fit(looked_at(drawn(800, 20, 3), every))
    assert result is not None
    assert float(np.median(result.shape)) == pytest.approx(3, rel=0.1)
    curve = result.curve("head")
    assert curve.median == pytest.approx(20 * math.log(2) ** (1 / 3), rel=0.04)
    age = 15.0
    median = 20 * ((age / 20) ** 3 + math.log(2)) ** (1 / 3) - age
    assert result.curve("head", age).median == pytest.approx(median, rel=0.08)
    assert result.curve("head", age).operations[0] > 0


@pytest.mark.parametrize(("count", "shape"), [(5000, 3), (1000, 15)])
def test_thousands_of_lives_of_one_head_are_no_worse_than_hundreds(count: int, shape: float) -> None:
    """Its effect is known so well by then that no fixed grid has a node where it may be."""
    result = fit(looked_at(drawn(count, 20, shape)))
    assert result is not None
    curve = result.curve("head")
    low, middle, high = (20 * math.log(1 / share) ** (1 / shape) for share in (0.9, 0.5, 0.1))
    assert (curve.interval[0], curve.median, curve.interval[1]) == pytest.approx((low, middle, high), rel=0.04)


def test_inserts_in_use_and_those_seen_late_do_not_mislead_it() -> None:
    ends = drawn(1500, 20, 3)
    # A third is changed at 15 while intact; a third is seen from its tenth operation on, if it comes to that.
    changed = [
        CensoredLife("head", 15.0) if end > 15 else CensoredLife("head", end // 1, end // 1 + 1) for end in ends[:500]
    ]
    late = [CensoredLife("head", max(end // 1, 10), end // 1 + 1, entry=10) for end in ends[500:1000] if end >= 10]
    result = fit(changed + late + looked_at(ends[1000:]))
    assert result is not None
    assert result.curve("head").median == pytest.approx(20 * math.log(2) ** (1 / 3), rel=0.05)


def test_wear_and_breakage_are_told_apart() -> None:
    worn, broken = drawn(600, 25, 4), np.random.default_rng(1).exponential(40, 600)
    lives = [
        CensoredLife("head", min(w, b) // 1, min(w, b) // 1 + 1, "worn" if w < b else "broken")
        for w, b in zip(worn, broken, strict=True)
    ]
    result = fit(lives)
    assert result is not None
    assert result.breakage is not None
    assert float(np.median(result.scale)) == pytest.approx(25, rel=0.05)
    assert float(np.median(result.breakage[0])) == pytest.approx(40, rel=0.2)
    assert float(np.median(result.breakage[1])) == pytest.approx(1, rel=0.2)
    estimate = kaplan_meier(lives)
    assert result.intact_after("head", estimate.ages) == pytest.approx(estimate.intact, abs=0.05)


def test_a_head_with_few_lives_stays_near_the_plant_and_one_with_many_goes_its_own_way() -> None:
    plant = [life for head in range(8) for life in looked_at(drawn(40, 20, 3, head), stratum=f"h{head}")]
    few, many = looked_at(drawn(2, 40, 3, 8), stratum="few"), looked_at(drawn(60, 40, 3, 9), stratum="many")
    result = fit([*plant, *few, *many])
    assert result is not None
    assert result.lives["few"] == 2
    of_plant, of_few, of_many = (result.curve(name).median for name in ("h0", "few", "many"))
    assert of_plant < of_few < of_many
    assert of_many == pytest.approx(40 * math.log(2) ** (1 / 3), rel=0.1)
    unknown = result.curve("never seen")
    assert unknown.interval[0] < of_plant < unknown.interval[1]


def test_the_same_lives_give_the_same_answers() -> None:
    lives = [each.life for each in SimulatedPlant(heads=2, pockets=4).lives(3)]
    first, second = fit(lives), fit(lives)
    assert first is not None
    assert second is not None
    assert first.curve("head-0", 4) == second.curve("head-0", 4)
