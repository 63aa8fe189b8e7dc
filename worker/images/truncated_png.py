"""A PNG that has its end but too few rows; one that ends early: `producer.pictures.png_structure`.

Of other halves of pictures see `producer.pictures.unfilled_rows` and `worker.images.truncated_jpeg`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image

_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Values of a pixel by a PNG's kind of colours."""

_BYTES_AT_ONCE: Final = 2**18
"""Bytes that are unpacked at once, to be counted and forgotten."""


def png_lacks_rows(image: Image.Image, data: bytes) -> bool:
    """Whether a decoded PNG's data unpack to fewer rows than its header promises; Pillow leaves those at 0.

    So only where the last pixel is 0 (or rows come in an order of their own) all of it is unpacked once more.
    """
    depth, colour, interlaced = data[24], data[25], data[28]
    if not interlaced and np.asarray(image.crop((image.width - 1, image.height - 1, image.width, image.height))).any():
        return False
    bits = depth * _SAMPLES[colour]
    wanted = sum(
        rows * (1 + (columns * bits + 7) // 8)
        for columns, rows in _passes(image.width, image.height, interlaced)
        if columns and rows
    )
    unpacker, count = zlib.decompressobj(), 0
    for part in _pixel_parts(data):
        rest: bytes | memoryview = part
        while rest and count < wanted and not unpacker.eof:
            count += len(unpacker.decompress(rest, _BYTES_AT_ONCE))
            rest = unpacker.unconsumed_tail
    while count < wanted and (more := unpacker.decompress(unpacker.unconsumed_tail, _BYTES_AT_ONCE)):
        count += len(more)
    return count < wanted


def _pixel_parts(data: bytes) -> Iterator[memoryview]:
    """The contents of a whole PNG's IDAT chunks."""
    view, at = memoryview(data), 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(view[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            yield view[at + 8 : end]
        at = end + 4


def _passes(width: int, height: int, interlaced: int) -> list[tuple[int, int]]:
    """Columns and rows of each of the pictures that a PNG is made of: one, or seven where it is interlaced (Adam7)."""
    if not interlaced:
        return [(width, height)]
    grid = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    return [((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in grid]
