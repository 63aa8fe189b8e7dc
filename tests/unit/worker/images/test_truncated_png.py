from __future__ import annotations

import io
import struct
import zlib
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tiff_files import tiff
from worker.images.decoding import UnusableImage, decode

SIZE = (24, 32)


def scene(mode: str = "RGB") -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (16, 20, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((80, 64), Image.Resampling.BICUBIC).convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


FILES = {
    "jpeg": lambda: encoded(scene(), "JPEG"),
    "progressive jpeg": lambda: encoded(scene(), "JPEG", progressive=True),
    "png": lambda: encoded(scene(), "PNG"),
    "png palette": lambda: encoded(scene().quantize(64), "PNG"),
    "png 16": lambda: encoded(Image.fromarray(np.asarray(scene("L")).astype(np.uint16) * 257), "PNG"),
    "bmp": lambda: encoded(scene(), "BMP"),
    "bmp grey": lambda: encoded(scene("L"), "BMP"),
    "tiff": lambda: encoded(scene(), "TIFF"),
    "tiff of strips": lambda: encoded(scene(), "TIFF", tiffinfo={278: 8}),
    "tiff lzw": lambda: encoded(scene(), "TIFF", compression="tiff_lzw"),
    "tiff deflate": lambda: encoded(scene(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff packbits": lambda: encoded(scene(), "TIFF", compression="packbits"),
    "tiff jpeg": lambda: encoded(scene(), "TIFF", compression="jpeg"),
}


@pytest.mark.parametrize("kind", FILES)
def test_half_a_photograph_is_never_judged(kind: str) -> None:
    data = FILES[kind]()
    assert decode(data, SIZE).shape == (*SIZE, 3)
    for at in [*np.linspace(0, len(data) - 5, 60).astype(int), len(data) - 1]:
        with pytest.raises(UnusableImage) as caught:
            decode(data[:at], SIZE)
        assert "black" not in caught.value.reason


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "tiff"])
def test_bytes_behind_a_whole_photograph_do_no_harm(kind: str) -> None:
    data = FILES[kind]()
    np.testing.assert_array_equal(decode(data + bytes(4096), SIZE), decode(data, SIZE))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(rows: np.ndarray, height: int, *, pieces: int = 1, interlaced: int = 0) -> bytes:
    """A PNG whose checksums are right, of some rows (n, w, 3) of as many as its header says."""
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", rows.shape[1], height, 8, 2, 0, 0, interlaced)
    cuts = np.linspace(0, len(data), pieces + 1).astype(int)
    parts = b"".join(chunk(b"IDAT", data[a:b]) for a, b in pairwise(cuts))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + parts + chunk(b"IEND", b"")


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_png_that_was_closed_properly_with_rows_missing_is_unusable(pieces: int) -> None:
    pixels = np.asarray(scene())
    black_end = pixels.copy()
    black_end[-5:] = 0
    for whole in (pixels, black_end):
        np.testing.assert_array_equal(
            decode(png(whole, 64, pieces=pieces), SIZE), decode(encoded(Image.fromarray(whole), "PNG"), SIZE)
        )
    for rows in (1, 32, 63):
        with pytest.raises(UnusableImage, match="cut short"):
            decode(png(pixels[:rows], 64, pieces=pieces), SIZE)


@pytest.mark.parametrize("shape", [(64, 80), (63, 79)])
def test_an_interlaced_png_is_counted_pass_by_pass(shape: tuple[int, int]) -> None:
    pixels = np.asarray(scene())[: shape[0], : shape[1]]
    grid = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    passes = [pixels[y::dy, x::dx] for x, y, dx, dy in grid]
    header = struct.pack(">IIBBBBB", shape[1], shape[0], 8, 2, 0, 0, 1)

    def of(parts: list[np.ndarray]) -> bytes:
        rows = zlib.compress(b"".join(b"\0" + row.tobytes() for part in parts for row in part))
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

    expected = decode(encoded(Image.fromarray(np.ascontiguousarray(pixels)), "PNG"), SIZE)
    np.testing.assert_array_equal(decode(of(passes), SIZE), expected)
    for missing in range(1, 7):
        with pytest.raises(UnusableImage, match="cut short"):
            decode(of(passes[:missing]), SIZE)


def test_a_png_with_a_wrong_checksum_is_unusable() -> None:
    data = bytearray(FILES["png"]())
    for at in (29, len(data) - 20, len(data) - 1):  # the header's, the data's and the end's
        broken = data.copy()
        broken[at] ^= 1
        with pytest.raises(UnusableImage, match="damaged"):
            decode(bytes(broken), SIZE)


@pytest.mark.parametrize("offset", [0, 4, 10_000_000])
def test_a_tiff_whose_strip_was_never_written_is_unusable(offset: int) -> None:
    """A writer that makes the directory first leaves such a file when it stops."""
    pixels = np.asarray(scene("L")).tobytes()
    assert decode(tiff(pixels, 80, 64, 8), SIZE).shape == (*SIZE, 3)
    with pytest.raises(UnusableImage, match="cut short"):
        decode(tiff(pixels, 80, 64, 8, offset=offset), SIZE)
