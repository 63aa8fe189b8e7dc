from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from producer.pictures.lost_lines import lacks_lines
from producer.simulation.head import labelled_images


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    ((data, _),) = labelled_images(1, seed=7, size=256)
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("fill", [0, 255, 90])
@pytest.mark.parametrize("every", [2, 3, 5])
def test_lines_that_are_plain_between_lines_of_picture_were_lost(photograph: np.ndarray, fill: int, every: int) -> None:
    lost = photograph.copy()
    lost[128::every] = fill
    for turns in range(4):
        assert lacks_lines(Image.fromarray(np.rot90(lost, turns)))


def test_a_photograph_a_bar_and_a_few_dead_lines_lack_none(photograph: np.ndarray) -> None:
    assert not lacks_lines(Image.fromarray(photograph))
    barred = photograph.copy()
    barred[-60:] = barred[:30] = 0
    assert not lacks_lines(Image.fromarray(barred))
    dead = photograph.copy()
    dead[[10, 90, 200]] = 0
    dead[:, 77] = 255
    assert not lacks_lines(Image.fromarray(dead))
