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


def test_a_sketch_is_the_mean_steepness_of_squares_without_the_strongest_few() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        few = rng.integers(0, 256, (9, 9, 3)).astype(np.uint8)
        picture = Image.fromarray(few).resize((224, 224), Image.Resampling.BICUBIC)
        small = picture.convert("L").resize((112, 112), Image.Resampling.BOX, reducing_gap=1.0)
        down, right = np.gradient(np.asarray(small.resize((64, 64), Image.Resampling.BOX), np.float32))
        steps = np.sqrt(right**2 + down**2)
        steps = np.minimum(steps, np.sort(steps, axis=None)[round(0.97 * steps.size)])
        squares = steps.reshape(16, 4, 16, 4).mean(axis=(1, 3))
        seen = measure(np.asarray(picture), picture)
        assert seen.sketch == np.asarray(squares * (255 / squares.max()), np.uint8).tobytes()
        assert seen == measure(np.asarray(picture)), "with the image or without it"
