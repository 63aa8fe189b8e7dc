import math

import pytest

from worker.lives.life import Life


def test_a_life_without_damage_has_not_ended() -> None:
    assert not Life("h", 7).has_ended
    assert Life("h", 7, 8).has_ended


@pytest.mark.parametrize(("low", "high", "entry"), [(3, 3, 0), (4, 3, 0), (3, 4, 3.5), (3, math.inf, -1)])
def test_ages_out_of_order_are_refused(low: float, high: float, entry: float) -> None:
    with pytest.raises(ValueError, match="a life has 0 <= entry <= low < high"):
        Life("h", low, high, entry=entry)
