from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from producer.pictures.lines import lines_of, sampled
from producer.pictures.small_picture import SmallPicture, nearest, picture_of


@pytest.mark.parametrize("colours", [(), (3,), (4,)], ids=str)
def test_a_small_picture_has_the_pixels_that_pillow_gives(colours: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    for height, width in ((256, 256), (300, 225), (256, 341), (57, 500), (16, 16)):
        image = Image.fromarray(rng.integers(0, 256, (height, width, *colours), np.uint8))
        small = picture_of(image)
        assert isinstance(small, SmallPicture)
        assert np.array_equal(np.asarray(small), np.asarray(image))
        for rows in (True, False):
            assert np.array_equal(lines_of(small, 3, 9, rows), lines_of(image, 3, 9, rows))
            for number in (4, 16):
                assert np.array_equal(sampled(small, rows, number), sampled(image, rows, number))
        size = (width // 8, height // 8)
        for box in ((0, 0, size[0] * 8, size[1] * 8), (3, 3, size[0] * 8, size[1] * 8), (0, 3, size[0] * 8 - 3, 15)):
            assert np.array_equal(nearest(small, size, box), nearest(image, size, box))


def test_a_large_image_is_left_to_pillow() -> None:
    image = Image.new("L", (1024, 1024))
    assert picture_of(image) is image
