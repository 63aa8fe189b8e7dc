from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from producer.runtime.arrays import UInt8Array
from worker.images.measurements import measure


def noise(side: int = 224) -> UInt8Array:
    return np.random.default_rng(0).integers(60, 200, (side, side, 3), np.uint8)


def test_blurring_takes_sharpness_and_leaves_brightness() -> None:
    sharp = noise()
    blurred = np.asarray(Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(2)), np.uint8)
    assert measure(blurred).sharpness < 0.1 * measure(sharp).sharpness
    assert abs(measure(blurred).brightness - measure(sharp).brightness) < 1


def test_sharpness_does_not_depend_on_the_network_s_size() -> None:
    picture = Image.fromarray(noise(40)).resize((600, 600), Image.Resampling.BICUBIC)
    at = [measure(np.asarray(picture.resize((side, side)), np.uint8)).sharpness for side in (224, 300)]
    assert 0.7 < at[1] / at[0] < 1.3


def test_what_is_burnt_and_how_much_contrast_there_is() -> None:
    pixels = np.full((100, 100, 3), 100, np.uint8)
    pixels[:30] = 255
    seen = measure(pixels)
    assert (seen.burnt, seen.contrast) == (0.3, 155)
    assert seen.brightness == 0.7 * 100 + 0.3 * 255


def test_the_same_pixels_are_the_same_frame_and_one_other_value_is_another() -> None:
    other = noise()
    other[-1, -1, 2] ^= 128
    assert measure(noise()).frame == measure(noise()[:, ::-1][:, ::-1]).frame != measure(other).frame
    assert -(2**63) <= measure(other).frame < 2**63
