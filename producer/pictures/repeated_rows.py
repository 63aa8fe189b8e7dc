"""Rows or columns at a side of a decoded image that repeat: what decoders and drivers write where picture is missing.

Some write the last row that came until the image is full, others a pattern: a few bytes over and over, stripes, a
checkerboard. A camera's pixels have noise, so no part of a photograph repeats to the last bit. A JPEG keeps what
repeats with its blocks: equal blocks stay equal, at any size that it is decoded at.

Rows of one colour are the concern of `producer.pictures.unfilled_rows`: a bar and a plain background are that too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image

from producer.pictures.unfilled_rows import lines_of

_PERIOD: Final = 16
"""After how many lines a pattern is there again: powers of two, and the blocks of a JPEG, repeat with it."""

_LEAST: Final = 2
"""How many lines must be there again."""

_NARROW: Final = 1 / 64
"""The share of an image that may repeat: filters copy a few lines at the edge."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class RepeatedPart:
    """How many rows, or columns, at a side of an image repeat."""

    size: int
    rows: bool


def repeated_part(image: Image.Image, *, reduction: int = 1) -> RepeatedPart | None:
    """The part at a side of a loaded image that repeats to the last bit, and is not of one colour; None without.

    Args:
        image: decoded, with all its bits or eight of them.
        reduction: how many pixels of the file are one of the image, at most 8.
    """
    period = _PERIOD // reduction
    for rows in (True, False):
        lines = image.height if rows else image.width
        for from_the_end in (True, False):
            if lines <= period or not _may_repeat(image, rows, from_the_end, period):
                continue
            size = _repeating(image, rows, from_the_end, period)
            if size > lines * _NARROW:
                return RepeatedPart(size * reduction, rows)
    return None


def _repeating(image: Image.Image, rows: bool, from_the_end: bool, period: int) -> int:
    """How many lines at a side repeat, or 0."""
    lines = image.height if rows else image.width
    number = period + _LEAST
    while number <= lines:
        side = _at_side(image, rows, from_the_end, 0, number)
        equal = (side[period:] == side[:-period]).all(axis=(1, 2))
        if not equal.all():
            again = int(np.argmin(equal))
            return again + period if again >= _LEAST else 0
        if number == lines:
            return lines
        number = min(2 * number, lines)
    return 0


def _may_repeat(image: Image.Image, rows: bool, from_the_end: bool, period: int) -> bool:
    """Whether the outermost line is there again, and is not of one colour: hardly any image is looked at further."""
    outermost = _at_side(image, rows, from_the_end, 0, 1)
    again = _at_side(image, rows, from_the_end, period, period + 1)
    return bool((outermost == again).all() and (outermost != outermost[:, :1]).any())


def _at_side(image: Image.Image, rows: bool, from_the_end: bool, start: int, stop: int) -> Array:
    """Some lines at a side, counted from there."""
    if not from_the_end:
        return lines_of(image, start, stop, rows)
    lines = image.height if rows else image.width
    return lines_of(image, lines - stop, lines - start, rows)[::-1]
