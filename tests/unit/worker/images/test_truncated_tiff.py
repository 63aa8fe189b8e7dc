from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image

from producer.simulation.head import labelled_images
from worker.images.decoding import UnusableImage, decode
from worker.images.truncated_tiff import is_overwritten

COMPRESSIONS = ["tiff_adobe_deflate", "tiff_deflate", "tiff_lzw", "packbits"]


@cache
def photographs() -> list[Image.Image]:
    return [Image.open(io.BytesIO(data)).convert("RGB") for data, _ in labelled_images(3, seed=7, size=256)]


def saved(image: Image.Image, compression: str) -> bytes:
    file = io.BytesIO()
    image.save(file, "TIFF", compression=compression)
    return file.getvalue()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("fill", [0x00, 0xFF, 0xCD])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_part_that_was_overwritten_is_not_judged(compression: str, fill: int, share: float) -> None:
    for image in photographs():
        data = saved(image, compression)
        for length in (100, 4096):
            start = int(len(data) * share)
            with pytest.raises(UnusableImage, match="damaged"):
                decode(data[:start] + bytes([fill]) * length + data[start + length :], (64, 64))


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_whole_ones_and_flat_areas_are_not_overwritten(compression: str, mode: str) -> None:
    flat = [Image.new("RGB", (256, 256), (level, level, level)) for level in (0, 1, 127, 128, 129, 205, 255)]
    stripes = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (256, 128))).convert("RGB")
    for image in (*photographs(), *flat, stripes):
        data = saved(image.convert(mode), compression)
        assert not is_overwritten(Image.open(io.BytesIO(data)), data)


def saved_as_jpeg(image: Image.Image, quality: int, strip: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "TIFF", compression="jpeg", quality=quality, strip_size=strip)
    return file.getvalue()


@pytest.mark.parametrize("strip", [10**8, 2**14])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_jpeg_in_a_tiff_with_a_hole_is_not_judged(strip: int, share: float) -> None:
    for image in photographs():
        data = saved_as_jpeg(image, 90, strip)
        start = int(len(data) * share) // 512 * 512
        with pytest.raises(UnusableImage, match=r"damaged|cut short|never written"):
            decode(data[:start] + bytes(512) + data[start + 512 :], (64, 64))


@pytest.mark.parametrize("mode", ["RGB", "YCbCr", "L", "CMYK"])
@pytest.mark.parametrize("strip", [10**8, 2**14])
@pytest.mark.parametrize("quality", [60, 75, 90, 95])
def test_whole_jpegs_in_a_tiff_are_not_overwritten(mode: str, strip: int, quality: int) -> None:
    flat = [Image.new("RGB", (250, 203), (level, level, level)) for level in (0, 128, 255)]
    for image in (*photographs(), *flat):
        data = saved_as_jpeg(image.convert(mode), quality, strip)
        assert not is_overwritten(Image.open(io.BytesIO(data)), data)
