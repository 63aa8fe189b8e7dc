import math

import pytest

from worker.lives.life import CensoredLife


def test_a_life_without_damage_has_not_ended() -> None:
    assert not CensoredLife("h", 7).has_ended
    assert CensoredLife("h", 7, 8).has_ended


@pytest.mark.parametrize(("low", "high", "entry"), [(3, 3, 0), (4, 3, 0), (3, 4, 3.5), (3, math.inf, -1)])
def test_ages_out_of_order_are_refused(low: float, high: float, entry: float) -> None:
    with pytest.raises(ValueError, match="a life has 0 <= entry <= low < high"):
        CensoredLife("h", low, high, entry=entry)
