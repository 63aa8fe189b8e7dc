from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from producer.pictures.jpeg_structure import JpegStructure
from producer.simulation.head import labelled_images
from worker.images.decoding import UnusableImage, decode, decode_photograph
from worker.images.reduced_jpeg import ReducedJpeg

SIZE = (224, 224)
MEAN, MOST = 1.0, 0.03
"""The bound on the mean difference to pixels that are decoded in full, of 255, and the share of values that differ by
more than 8."""

WAYS: dict[str, dict[str, Any]] = {"baseline": {}, "progressive": {"progressive": True}, "fine": {"quality": 95}}


@cache
def photographs() -> list[Image.Image]:
    return [Image.open(io.BytesIO(data)).convert("RGB") for data, _ in labelled_images(3, seed=8, size=1024)]


def jpeg(image: Image.Image, orientation: int = 1, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, **options)
    return file.getvalue()


def exact(data: bytes, size: tuple[int, int], region: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """All pixels decoded, turned, cut out and averaged."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if region is not None:
        left, top, width, height = region
        image = image.crop((left, top, left + width, top + height))
    return np.array(image.convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR, reducing_gap=3.0))


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape
    by = np.abs(found.astype(int) - expected)
    assert by.mean() < MEAN
    assert (by > 8).mean() < MOST


@pytest.mark.parametrize("size", [(1024, 1024), (1901, 1803)])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("way", WAYS)
def test_reduced_pixels_are_nearly_those_that_are_decoded_in_full(way: str, mode: str, size: tuple[int, int]) -> None:
    photograph = photographs()[size[0] % 2]
    data = jpeg(photograph.resize(size).convert(mode), **WAYS[way])
    assert_close(decode(data, SIZE), exact(data, SIZE))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_region_lands_on_its_place_however_the_image_is_turned(orientation: int) -> None:
    data = jpeg(photographs()[0].resize((1501, 1107)), orientation)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).size
    assert_close(decode(data, (200, 224)), exact(data, (200, 224)))
    for region in ((0, 0, 905, 803), (101, 203, 707, 601), (upright[0] - 931, upright[1] - 899, 931, 899)):
        found, expected = decode(data, (96, 112), region), exact(data, (96, 112), region)
        assert_close(found, expected)
        for beside in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            moved = np.roll(expected, beside, axis=(0, 1)).astype(int)
            assert np.abs(found - moved).mean() > 2 * np.abs(found.astype(int) - expected).mean()


@pytest.mark.parametrize(
    ("width", "height", "region", "reduction"),
    [
        (447, 900, None, 1),
        (448, 448, None, 2),
        (1024, 1024, None, 4),
        (1791, 4000, None, 4),
        (5472, 3648, None, 8),
        (5472, 3648, (100, 200, 1000, 900), 4),
        (5472, 3648, (100, 200, 300, 3000), 1),
    ],
)
def test_the_smallest_pixels_that_are_not_below_the_network_s_are_decoded(
    width: int, height: int, region: tuple[int, int, int, int] | None, reduction: int
) -> None:
    data = jpeg(Image.new("L", (width, height), 90))
    reduced = ReducedJpeg(Image.open(io.BytesIO(data)), data, JpegStructure.of(data))
    assert reduced.upright_size == (width, height)
    reduced.decode(SIZE, region)
    assert reduced.reduction == reduction
    assert reduced.taken().size == SIZE


def test_a_region_of_full_size_has_the_pixels_of_full_size() -> None:
    data = jpeg(photographs()[1])
    region = (301, 402, 250, 240)
    np.testing.assert_array_equal(decode(data, SIZE, region), exact(data, SIZE, region))


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("fill", [0, 128, 255])
def test_half_a_photograph_that_was_saved_anew_is_not_judged(fill: int, turn: int) -> None:
    """Full pixels show how it ends; reduced ones that they must be looked at."""
    pixels = np.asarray(photographs()[2]).copy()
    pixels[608:624, 400:] = fill
    pixels[624:] = fill
    data = jpeg(Image.fromarray(np.ascontiguousarray(np.rot90(pixels, turn))))
    with pytest.raises(UnusableImage, match="stops within a row"):
        decode(data, (112, 112))


def test_a_part_of_a_region_that_may_be_missing_is_doubted() -> None:
    pixels = np.asarray(photographs()[2]).copy()
    pixels[600:, :700] = pixels[700:, 700:850] = 128  # no rectangle, which is doubted in the whole photograph too
    data = jpeg(Image.fromarray(pixels))
    assert decode_photograph(data, (112, 112)).doubt is None
    assert decode_photograph(data, (112, 112), (101, 301, 501, 601)).doubt is not None
    assert decode_photograph(data, (112, 112), (101, 51, 501, 501)).doubt is None
