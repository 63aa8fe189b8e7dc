from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image

from producer.pictures.repeated_rows import is_repeated
from producer.simulation.head import labelled_images

JPEGS = [{"quality": 90}, {"quality": 30}, {"quality": 85, "subsampling": 0}, {"progressive": True}]


@cache
def photographs() -> list[np.ndarray]:
    """Rendered inserts, RGB."""
    return [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data, _ in labelled_images(4, seed=7, size=256)]


def last_row_again(pixels: np.ndarray, lacks: int) -> np.ndarray:
    return np.concatenate([pixels[:-lacks], np.repeat(pixels[-lacks - 1 : -lacks], lacks, axis=0)])


def checkerboard(pixels: np.ndarray, lacks: int, square: int = 8) -> np.ndarray:
    down, across = np.mgrid[:lacks, : pixels.shape[1]] // square
    squares = np.where((down + across) % 2 == 0, 192, 64).astype(np.uint8)
    return np.concatenate([pixels[:-lacks], np.repeat(squares[..., None], 3, axis=2)])


def four_bytes(pixels: np.ndarray, lacks: int) -> np.ndarray:
    filled = pixels.copy()
    filled[-lacks:] = np.resize(np.frombuffer(b"\xde\xad\xbe\xef", np.uint8), filled[-lacks:].shape)
    return filled


FILLS: list[Callable[[np.ndarray, int], np.ndarray]] = [last_row_again, checkerboard, four_bytes]


@pytest.mark.parametrize("fill", FILLS, ids=["the last row again", "checkerboard", "four bytes"])
@pytest.mark.parametrize("lacks", [40, 128, 200])
def test_what_repeats_up_to_a_side_is_no_picture(fill: Callable[[np.ndarray, int], np.ndarray], lacks: int) -> None:
    for pixels in photographs():
        for turns in range(4):
            assert is_repeated(Image.fromarray(np.rot90(fill(pixels, lacks), turns)))


@pytest.mark.parametrize("by", [1, 2, 4, 8])
@pytest.mark.parametrize("options", JPEGS, ids=["90", "30", "85 without subsampling", "progressive"])
def test_what_repeats_does_so_in_a_jpeg_at_any_size(options: dict[str, int], by: int) -> None:
    for pixels in photographs():
        for fill in (last_row_again, checkerboard):
            for turns in range(2):
                assert is_repeated(jpeg(np.rot90(fill(pixels, 120), turns), options, by), reduction=by)
        assert not is_repeated(jpeg(pixels, options, by), reduction=by)


@pytest.mark.parametrize("ring", [1, 5, 16, 24, 32, 64])
@pytest.mark.parametrize("begin", [96, 192], ids=["in the middle", "up to the end"])
def test_a_ring_of_rows_that_was_read_on_is_no_picture(ring: int, begin: int) -> None:
    for pixels in photographs():
        read_on = pixels.copy()
        read_on[begin : begin + 64] = np.resize(pixels[begin - ring : begin], (64, *pixels.shape[1:]))
        for turns in range(2):
            assert is_repeated(Image.fromarray(np.rot90(read_on, turns)))
        if ring in (1, 16, 32, 64):  # and the blocks of a JPEG then have their like
            for by in (1, 2, 4, 8):
                assert is_repeated(jpeg(read_on, {"quality": 85}, by), reduction=by)


def jpeg(pixels: np.ndarray, options: dict[str, int], by: int) -> Image.Image:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **options)
    image = Image.open(file)
    image.draft(None, (image.width // by, image.height // by))
    image.load()
    return image


@pytest.mark.parametrize("colour", [0, 255, 90])
def test_a_plain_background_or_bar_does_not_repeat(colour: int) -> None:
    down, across = np.mgrid[-1:1:256j, -1:1:256j]
    inside = down**2 + across**2 < 0.6
    for pixels in photographs():
        barred = pixels.copy()
        barred[-60:] = colour
        for drawn in (barred, np.where(inside[..., None], pixels, np.uint8(colour))):
            assert not is_repeated(Image.fromarray(drawn))


def test_photographs_and_a_few_lines_that_a_filter_copied_are_whole() -> None:
    for pixels in photographs():
        assert not is_repeated(Image.fromarray(pixels))
        assert not is_repeated(Image.fromarray(last_row_again(pixels, 3)))
