from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from producer.pictures.unfilled_rectangle import lacks_rectangle
from producer.simulation.head import labelled_images


@pytest.fixture(scope="module")
def photographs() -> list[np.ndarray]:
    return [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data, _ in labelled_images(4, seed=7, size=256)]


PLACES = {
    "a quarter": (slice(128, None), slice(128, None)),
    "a part of the lower half": (slice(150, None), slice(60, None)),
    "a tile in the middle": (slice(64, 128), slice(64, 128)),
    "half of an upper third": (slice(0, 85), slice(0, 130)),
}


@pytest.mark.parametrize("colour", [0, 255, 128, (0, 135, 0)], ids=str)
@pytest.mark.parametrize("place", PLACES)
def test_a_rectangle_that_never_came_is_seen(photographs: list[np.ndarray], place: str, colour: object) -> None:
    for pixels in photographs:
        lost = pixels.copy()
        lost[PLACES[place]] = colour
        assert lacks_rectangle(Image.fromarray(lost))
        assert lacks_rectangle(Image.fromarray(lost).convert("L"))


def tiles(pixels: np.ndarray) -> None:
    down, across = np.mgrid[: len(pixels), : pixels.shape[1]] // 32
    pixels[(down + across) % 2 == 1] = 0


def corner(pixels: np.ndarray) -> None:
    pixels[161:, 83:] = 128
    pixels[85:, 157:] = 128


def three_quarters(pixels: np.ndarray) -> None:
    pixels[128:] = 0
    pixels[:, 128:] = 0


def stairs(pixels: np.ndarray) -> None:
    for step in range(7):
        pixels[77 + 26 * step :, 230 - 26 * step :] = 0


def two_colours(pixels: np.ndarray) -> None:
    pixels[64:128, 128:] = 0
    pixels[128:192, 128:] = 255


@pytest.mark.parametrize("lose", [tiles, corner, three_quarters, stairs, two_colours])
def test_parts_of_any_shape_that_end_at_lines_are_seen(
    photographs: list[np.ndarray], lose: Callable[[np.ndarray], None]
) -> None:
    for pixels in photographs:
        lost = pixels.copy()
        lose(lost)
        for turns in range(4):
            assert lacks_rectangle(Image.fromarray(np.rot90(lost, turns)))


@pytest.mark.parametrize("by", [1, 2, 4])
def test_one_that_ends_between_blocks_is_seen_in_a_jpeg_at_any_size(photographs: list[np.ndarray], by: int) -> None:
    for pixels in photographs:
        whole = np.asarray(Image.fromarray(pixels).resize((512, 512)))
        lost = whole.copy()
        lost[256:, 256:] = 0
        for shown, lacks in ((lost, True), (whole, False)):
            file = io.BytesIO()
            Image.fromarray(shown).save(file, "JPEG", quality=85)
            image = Image.open(file)
            image.draft(None, (512 // by, 512 // by))
            image.load()
            assert lacks_rectangle(image) == lacks


def test_whole_photographs_and_things_before_a_plain_background_lack_none(photographs: list[np.ndarray]) -> None:
    down, across = np.mgrid[-1:1:256j, -1:1:256j]
    masks = {
        "round": down**2 + across**2 < 0.5,
        "tilted": abs(down + 0.03 * across) < 0.6,
        "corner": (down + 0.02 * across < 0.1) | (across - 0.02 * down < 0.1),
        "rounded": np.maximum(abs(down), abs(across)) + 0.1 * np.minimum(abs(down), abs(across)) < 0.7,
    }
    for pixels in photographs:
        assert not lacks_rectangle(Image.fromarray(pixels))
        for name, mask in masks.items():
            for colour in (0, 255):
                drawn = np.where(mask[..., None], pixels, np.uint8(colour))
                assert not lacks_rectangle(Image.fromarray(drawn)), name
        barred = pixels.copy()
        barred[-60:] = 0
        assert not lacks_rectangle(Image.fromarray(barred)), "of unfilled rows"
        framed = np.pad(pixels[20:-20, 20:-20], ((13, 27), (9, 31), (0, 0)))
        assert not lacks_rectangle(Image.fromarray(framed)), "a frame"
