from __future__ import annotations

import numpy as np
import pytest

from producer.pictures.patterns import periods, stretches

NOISE = np.random.default_rng(0).integers(0, 256, 50_000, dtype=np.uint8)


@pytest.mark.parametrize("begins", [0, 255, 10_001])
def test_every_pattern_of_1_to_64_bytes_is_found_where_it_is(begins: int) -> None:
    for period in range(1, 65):
        every = NOISE.copy()
        every[begins : begins + 3000] = np.resize(NOISE[-period:], 3000)
        ((start, stop),) = stretches(periods(every, 256), 8)
        found = int(periods(every, 256)[start])
        assert found % period == 0
        assert 32 < found <= 64
        assert begins <= start * 256 < begins + 256
        assert begins + 3000 - 2 * 256 - 64 < stop * 256 <= begins + 3000


def test_a_pattern_that_repeats_itself_within_is_found_too() -> None:
    fill = np.array([0] * 15 + [1], np.uint8)
    assert periods(np.resize(fill, 2000), 256).tolist() == [48] * 7


def test_neighbours_of_two_patterns_are_two_stretches() -> None:
    every = np.concatenate([np.resize(NOISE[:5], 2560), np.resize(NOISE[:7], 2560)])
    one, other = stretches(periods(every, 256), 2)
    assert one[1] * 256 <= 2560 <= other[0] * 256


def test_noise_and_too_few_bytes_have_none() -> None:
    assert not periods(NOISE, 128).any()
    assert not len(periods(np.zeros(100, np.uint8), 128))
