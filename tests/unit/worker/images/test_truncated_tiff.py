from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np
import pytest
from PIL import Image

from producer.pictures.completeness import tiff_parts
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


@pytest.mark.parametrize("period", [3, 4, 5, 7, 12, 24])
def test_packbits_that_a_pattern_was_written_over_are_not_judged(period: int) -> None:
    fill = bytes(range(100, 100 + period)) * 1000
    for image in photographs():
        data = saved(image, "packbits")
        starts = [start for start, _ in tiff_parts(Image.open(io.BytesIO(data)))]
        for start in (*starts[1:], *range(2048, len(data) - 4096, 4096)):
            with pytest.raises(UnusableImage, match=r"damaged|cut short"):
                decode(data[:start] + fill[:1024] + data[start + 1024 :], (64, 64))


def packed_by_hand(packed: bytes) -> bytes:
    """A grey TIFF of 256×256 pixels, of one strip of PackBits."""
    tags = {256: 256, 257: 256, 258: 8, 259: 32773, 262: 1, 273: 200, 277: 1, 278: 256, 279: len(packed)}
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    head += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()) + bytes(4)
    return head.ljust(200, b"\0") + packed


def test_packbits_that_go_on_from_row_to_row_are_read_but_not_with_a_hole() -> None:
    pixels = photographs()[0].convert("L").tobytes()
    packed = b"".join(bytes([99]) + pixels[at : at + 100] for at in range(0, 65_500, 100))
    data = packed_by_hand(packed + bytes([35]) + pixels[65_500:])
    assert not is_overwritten(Image.open(io.BytesIO(data)), data)
    hole = data[:9000] + b"EMPTY" * 100 + data[9500:]
    assert is_overwritten(Image.open(io.BytesIO(hole)), hole)


def test_no_file_is_looked_at_for_longer_than_a_second_or_so() -> None:
    for number, told in ((2**21, True), (2**23, False)):
        data = packed_by_hand(b"\x80" * number + b"\0")  # nothing, over and over, and a run without its byte
        assert is_overwritten(Image.open(io.BytesIO(data)), data) is told


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
