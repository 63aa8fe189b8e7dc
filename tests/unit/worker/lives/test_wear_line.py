import numpy as np
import pytest

from worker.lives.wear_line import WearLine, WornOut, remaining
from worker.lives.weibull import FEWEST

PACES = np.linspace(0.7, 1.4, FEWEST)


def steps(end: float, until: float, power: float = 2.0) -> list[tuple[float, float]]:
    """A land that is 0.3 wide at the `end`, measured after every operation."""
    return [(float(age), 0.3 * (age / end) ** power) for age in range(1, int(until) + 1)]


def line(end: float, until: float, power: float = 2.0, unit: str = "mm") -> WearLine:
    result = WearLine.of(steps(end, until, power), unit)
    assert result is not None
    return result


def lives(power: float, unit: str = "mm") -> list[WornOut]:
    """Lives of one shape, each at a pace of its own and, as people judge, at a limit of its own."""
    limits = np.random.default_rng(1).normal(1, 0.03, FEWEST)
    return [
        WornOut(line(40 * pace, 40 * pace * limit - 1, power, unit), 40 * pace * limit)
        for pace, limit in zip(PACES, limits, strict=True)
    ]


def test_a_stray_width_does_nothing_and_a_land_does_not_grow_back() -> None:
    widths = [0.1, 0.1, 0.9, 0.1, 0.2, 0.2, 0.2, 0.1]
    assert WearLine.of(list(enumerate(widths)), "mm") == WearLine([2, 5], [0.1, 0.2], "mm")
    assert WearLine.of(list(enumerate(widths[:2])), "mm") is None
    known = WearLine([2, 5], [0.1, 0.2], "mm")
    assert [known.age_at(width) for width in (0.05, 0.15, 0.2, 0.3)] == [2, 5, 5, None]


@pytest.mark.parametrize("power", [0.6, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("end", [25, 60])
def test_the_shape_of_the_plants_wear_is_learnt_and_the_pace_is_the_inserts_own(power: float, end: float) -> None:
    age = int(0.6 * end)
    law = remaining(lives(power), line(end, age, power), age)
    assert law is not None
    middle = np.exp(law.middle)
    assert middle == pytest.approx(end - age, rel=0.3)
    intact = law.intact_after(np.array([middle / 2, middle, middle * 2]))
    assert intact[1] == pytest.approx(0.5)
    assert intact[0] > 0.9 > 0.1 > intact[2]


def test_nothing_is_said_where_fewer_than_ten_lives_came_as_far_or_were_measured_so() -> None:
    worn_out, now = lives(1.0), line(40, 20, 1.0)
    assert remaining(worn_out, now, 20) is not None
    assert remaining(worn_out[1:], now, 20) is None
    assert remaining(lives(1.0, unit="px"), now, 20) is None
    assert remaining(worn_out, line(40, 60, 1.0), 60) is None
