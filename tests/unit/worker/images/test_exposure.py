from __future__ import annotations

import numpy as np
import pytest

from worker.images.exposure import shows_nothing

DOWN, ACROSS = np.mgrid[0:1:48j, 0:1:64j]
SCENE = np.stack([255 * ACROSS, 255 * DOWN, 127 * (ACROSS + DOWN)], axis=2)


def test_a_dark_a_bright_and_a_flat_photograph_still_pass() -> None:
    for low, high in ((0, 40), (200, 255), (120, 140)):
        assert shows_nothing((low + SCENE / 255 * (high - low)).astype(np.uint8)) is None


@pytest.mark.parametrize(
    ("low", "high", "words"), [(0, 15, "black"), (252, 255, "burnt out"), (120, 125, "no contrast")]
)
def test_what_shows_nothing_is_named(low: int, high: int, words: str) -> None:
    assert words in str(shows_nothing((low + SCENE / 255 * (high - low)).astype(np.uint8)))


def test_what_a_quarter_of_the_rows_does_not_show_is_looked_for_in_all_of_them() -> None:
    pixels = np.zeros((400, 400, 3), np.uint8)
    pixels[1::4] = 200
    assert shows_nothing(pixels) is None
    assert shows_nothing(pixels[::4]) is not None
