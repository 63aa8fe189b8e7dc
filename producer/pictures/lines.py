"""Lines of a loaded image, rows or columns alike: one from one side to the other, as (line, pixel, colour)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PIL import Image

_GOLDEN: Final = (5**0.5 - 1) / 2
"""Its multiples are spread evenly between the whole numbers, and never twice in the same way."""

Array = np.ndarray[Any, np.dtype[Any]]


def lines_of(image: Image.Image, start: int, stop: int, rows: bool) -> Array:
    """Some rows or columns, as (line, pixel, colour)."""
    if stop <= start:
        return np.empty((0, 1, 1))
    box = (0, start, image.width, stop) if rows else (start, 0, stop, image.height)
    pixels: Array = np.asarray(image.crop(box))
    pixels = pixels if rows else pixels.swapaxes(0, 1)
    return pixels.reshape(*pixels.shape[:2], -1)


def sampled(image: Image.Image, rows: bool, number: int) -> Array:
    """So many pixels of each row or column, as (line, pixel, colour): to see which lines are worth more.

    They are at distances of their own, for patterns of stripes and squares.
    """
    pixels: Array = np.asarray(image)
    pixels = pixels if rows else pixels.swapaxes(0, 1)
    few = pixels[:, (np.arange(number) * _GOLDEN % 1 * pixels.shape[1]).astype(np.intp)]
    return few.reshape(len(few), number, -1)
