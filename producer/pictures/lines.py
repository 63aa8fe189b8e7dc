"""Lines of a loaded image, rows or columns alike: one from one side to the other, as (line, pixel, colour)."""

from __future__ import annotations

from typing import Final

import numpy as np

from producer.pictures.small_picture import Picture, nearest
from producer.runtime.arrays import AnyArray

_GOLDEN: Final = (5**0.5 - 1) / 2
"""No two whole numbers have this ratio."""


def lines_of(image: Picture, start: int, stop: int, rows: bool) -> AnyArray:
    """Some rows or columns, as (line, pixel, colour)."""
    if stop <= start:
        return np.empty((0, 1, 1))
    box = (0, start, image.width, stop) if rows else (start, 0, stop, image.height)
    pixels: AnyArray = np.asarray(image.crop(box))
    pixels = pixels if rows else pixels.swapaxes(0, 1)
    return pixels.reshape(*pixels.shape[:2], -1)


def sampled(image: Picture, rows: bool, number: int) -> AnyArray:
    """So many pixels, an even number, of each line, as (line, pixel, colour): to see which lines are worth more.

    Half of them are at other distances than the rest, for patterns of stripes and squares.
    """
    half, (width, height) = number // 2, image.size
    size = (half, height) if rows else (width, half)
    near = (0, 0, width * _GOLDEN, height) if rows else (0, 0, width, height * _GOLDEN)
    few = np.concatenate([nearest(image, size, part) for part in (near, (0, 0, width, height))], axis=1 if rows else 0)
    few = few if rows else few.swapaxes(0, 1)
    return few.reshape(len(few), number, -1)


def of_one_colour(lines: AnyArray) -> AnyArray:
    """Which lines (line, pixel, colour) have one colour from one side to the other, by the pixels that are here."""
    return np.asarray((lines == lines[:, :1]).all(axis=(1, 2)))


def changes(pixels: AnyArray) -> AnyArray:
    """The share of a line's pixels (pixel, colour), or of each of several lines', that differ from the one before."""
    return np.asarray((pixels[..., 1:, :] != pixels[..., :-1, :]).any(axis=-1).mean(axis=-1))


def stretches(marked: AnyArray) -> list[tuple[int, int]]:
    """Where neighbouring lines are marked: the first, and the one behind the last."""
    edges = np.flatnonzero(np.diff(marked.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    return [(start, stop) for start, stop in edges.tolist()]
