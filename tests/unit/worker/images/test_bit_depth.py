from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from worker.images.bit_depth import depth_of
from worker.images.decoding import UnusableImage, decode, decode_photograph

SIZE = (24, 32)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(pixels: np.ndarray) -> bytes:
    return encoded(Image.fromarray(pixels))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def colour_png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits a colour, which Pillow does not write."""
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def saying(bits: int, data: bytes) -> bytes:
    """A PNG that says how many bits are significant (sBIT)."""
    return data[:33] + chunk(b"sBIT", bytes([bits] * (3 if data[25] == 2 else 1))) + data[33:]


def reason_of(data: bytes) -> str:
    with pytest.raises(UnusableImage) as caught:
        decode(data, SIZE)
    return caught.value.reason


def close(found: np.ndarray, expected: np.ndarray, by: float) -> bool:
    return bool(np.abs(found.astype(float) - expected).max() <= by)


def scene() -> np.ndarray:
    """A grey photograph of 16 bits with noise, of 200 by 160 pixels, none of them black."""
    noise = np.random.default_rng(0).integers(0, 256, (160, 200))
    return (np.mgrid[0:160, 0:200].sum(axis=0) * 150 + 8_000 + noise).astype(np.uint16)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_10_to_16_bits_in_a_file_of_16_are_scaled_by_the_bits_that_are_used(bits: int) -> None:
    grey = scene() >> (16 - bits) if bits < 16 else scene()
    expected = decode(png((scene() >> 8).astype(np.uint8)), SIZE)
    for kind in ("PNG", "TIFF"):
        np.testing.assert_array_equal(decode(encoded(Image.fromarray(grey), kind), SIZE), expected)
    big_endian = Image.frombytes("I;16B", (200, 160), grey.astype(">u2").tobytes())
    np.testing.assert_array_equal(decode(encoded(big_endian, "TIFF"), SIZE), expected)
    np.testing.assert_array_equal(decode(colour_png(np.dstack([grey] * 3)), SIZE), expected)


def test_8_bits_made_12_or_16_wide_are_told_apart_however_dark() -> None:
    grey = (scene() >> 8).astype(np.uint16)
    for wide in (grey << 4, grey << 8, grey * 257):
        assert close(decode(png(wide), SIZE), decode(png(grey.astype(np.uint8)), SIZE), by=0)
    dark = grey // 3
    for wide in (dark << 8, dark * 257):
        assert close(decode(png(wide), SIZE), decode(png(dark.astype(np.uint8)), SIZE), by=0)


def test_black_is_said_only_of_what_is_black_in_any_reading() -> None:
    assert "black: lamp or camera off" in reason_of(png(np.zeros((160, 200), np.uint16)))
    assert "black: lamp or camera off" in reason_of(png(scene() >> 10))
    assert "8 bits in a file of 16" in reason_of(png(scene() >> 8))


def test_a_deep_image_has_one_scale_whatever_region_is_taken() -> None:
    grey = scene() >> 4
    region = (0, 0, 40, 40)
    expected = decode(png((scene() >> 8).astype(np.uint8)), SIZE, region)
    np.testing.assert_array_equal(decode(png(grey), SIZE, region), expected)


def test_floating_point_values_of_a_known_range_are_read_others_refused_in_words() -> None:
    grey = (scene() >> 8).astype(np.float32)
    expected = decode(png(grey.astype(np.uint8)), SIZE)
    for values in (grey, grey / 255):
        np.testing.assert_array_equal(decode(encoded(Image.fromarray(values), "TIFF"), SIZE), expected)
    for values in (grey * 16, grey - 200, grey / 100, np.where(grey > 60, np.nan, grey)):
        assert "neither 0 to 1 nor 0 to 255" in reason_of(encoded(Image.fromarray(values.astype(np.float32)), "TIFF"))


def of_eight(values: np.ndarray) -> np.ndarray:
    """What a picture with the upper 8 of 16 bits gives."""
    return decode(png((values >> 8).astype(np.uint8)), SIZE)


@pytest.mark.parametrize("part", [3, 5, 10])
@pytest.mark.parametrize("shift", [2, 4, 6])
def test_a_dim_picture_that_fills_16_bits_from_the_top_stays_dim(part: int, shift: int) -> None:
    """A camera's 10, 12 or 14 bits moved up, with zeros or the highest bits below."""
    bits = 16 - shift
    dim = (scene() >> shift) // part
    for wide in (dim << shift, dim << shift | dim >> (bits - shift)):
        photograph = decode_photograph(png(wide.astype(np.uint16)), SIZE)
        assert close(photograph.pixels, of_eight(wide), by=0)
        assert photograph.doubt is None


@pytest.mark.parametrize("part", [5, 10])
def test_what_a_file_says_of_its_depth_counts(part: int) -> None:
    dim = scene() // part
    said = (
        saying(16, png(dim)),
        encoded(Image.fromarray(dim), "TIFF", tiffinfo={281: 65535}),
        saying(16, colour_png(np.dstack([dim] * 3))),
    )
    for data in said:
        photograph = decode_photograph(data, SIZE)
        np.testing.assert_array_equal(photograph.pixels, of_eight(dim))
        assert photograph.doubt is None


def test_a_dim_picture_of_12_bits_is_told_from_one_of_10_by_what_its_file_says() -> None:
    dim = scene() // 5 >> 4
    expected = decode(png((dim >> 4).astype(np.uint8)), SIZE)
    for data in (saying(12, png(dim)), encoded(Image.fromarray(dim), "TIFF", tiffinfo={281: 4095})):
        np.testing.assert_array_equal(decode(data, SIZE), expected)
    rows = np.dstack([dim] * 3)
    np.testing.assert_array_equal(decode(saying(12, colour_png(rows)), SIZE), expected)


def test_14_bits_and_a_dim_picture_of_16_are_not_told_apart_without_a_word() -> None:
    values = scene() >> 2
    assert "a dim picture of 16" in str(decode_photograph(png(values), SIZE).doubt)
    values[:20, :20] = 16383
    assert decode_photograph(png(values), SIZE).doubt is None, "overexposed in some places, at the end of 14 bits"
    assert decode_photograph(saying(14, png(scene() >> 2)), SIZE).doubt is None


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("hot", [1 << 12, 40_000, 65_535])
def test_one_value_that_no_sensor_gives_does_not_make_a_picture_black(bits: int, hot: int) -> None:
    values = scene() >> (16 - bits)
    expected = decode(png((scene() >> 8).astype(np.uint8)), SIZE)
    values[3, 4] = hot
    written = values.copy()
    written[150:155, 100:150] = 65_535  # text drawn into the picture
    for pixels in (values, written):
        for data in (png(pixels), encoded(Image.fromarray(pixels), "TIFF"), colour_png(np.dstack([pixels] * 3))):
            assert np.abs(decode(data, SIZE)[:20].astype(int) - expected[:20]).max() <= 6


def test_highlights_are_no_strays() -> None:
    values = (scene() >> 4) // 5
    values[10:14, 10:14] = np.arange(1500, 1500 + 16 * 100, 100).reshape(4, 4)
    assert depth_of(values) == (12, None)
