from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from producer.contract.region import Polygon
from tests.cut_out_pictures import SAVED, SHAPES, cut_out, metal, saved
from worker.images.decoding import decode
from worker.images.foreground import foreground

SIZE = (224, 224)


@pytest.mark.parametrize("how", SAVED)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_cut_out_is_told_from_the_black_round_it(shape: str, how: str) -> None:
    for size in ((325, 129), (900, 700)):
        image, truth = cut_out(shape, size)
        seen = foreground(decode(saved(image, how), SIZE))
        assert seen is not None
        expected = np.asarray(Image.fromarray(truth).resize(seen.shape[::-1]))
        assert (seen == expected).mean() > (0.97 if how != "a poor JPEG" else 0.92)


def test_shadows_and_holes_within_the_insert_belong_to_it() -> None:
    image, _ = cut_out("an edge", (900, 700))
    image.paste((0, 0, 0), (300, 100, 400, 200))
    seen = foreground(np.asarray(image.resize(SIZE)))
    assert seen is not None
    height, width = seen.shape
    assert seen[height * 150 // 700, width * 350 // 900]


def test_the_outside_of_a_declared_polygon_is_a_background() -> None:
    polygon = Polygon(polygon=((40, 20), (280, 60), (260, 180), (60, 190)))
    seen = foreground(decode(saved(metal((320, 240)), "JPEG"), SIZE, polygon))
    assert seen is not None
    assert 0.6 < seen.mean() < 0.8


@pytest.mark.parametrize("black", [(0, 0), (2, 2), (0, 6)], ids=["a lamp too weak", "with an offset", "with noise"])
def test_a_dark_photograph_is_no_cut_out(black: tuple[float, float]) -> None:
    """However much of it is black: its contrast falls off, or its black is not pure."""
    offset, noise = black
    rng = np.random.default_rng(1)
    down, across = np.mgrid[-1:1:224j, -1:1:224j]
    light = 90 * np.exp(-3 * (down**2 + across**2))
    grey = np.clip(light + offset + 4 + np.abs(rng.normal(0, 2 + noise, light.shape)), 0, 255).astype(np.uint8)
    assert foreground(np.dstack([grey] * 3)) is None


def test_neither_all_nor_hardly_any_of_a_picture_is_a_background() -> None:
    pixels = np.asarray(metal((224, 224))).copy()
    assert foreground(pixels) is None
    pixels[:20, :20] = 0
    assert foreground(pixels) is None
    assert foreground(np.zeros((224, 224, 3), np.uint8)) is None
    assert foreground(np.asarray(metal((8, 8)))) is None
