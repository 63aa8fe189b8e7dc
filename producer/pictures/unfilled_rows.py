"""Rows of a decoded image that its writer has not filled: they are zero where a photograph hardly ever is."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PIL import Image

_FULL: Final = 0.9
_FEWEST_AT_THE_END: Final = 2
_FEWEST: Final = 8
"""Rows: a line that is drawn across an image, a cross-hair's or a frame's, has fewer."""

_SAMPLED: Final = 16


def lacks_rows(image: Image.Image, *, upside_down: bool) -> bool:
    """Whether rows of a loaded image are zero throughout and those beside them are not: room that was never filled.

    A file is filled from some byte to another; so the row in which the filling ended is zero from there on and the one
    before it is full. A thing before a black background ends otherwise: beside it too is background. An image with
    black bars at both ends is whole, if nothing is missing between them. A program that writes blocks in any order
    leaves such rows at the beginning and in the middle too. `upside_down` says that the file begins with the lowest
    row, as most BMPs do.
    """
    zero = _zero_rows(image)
    edges = np.flatnonzero(np.diff(zero.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    bars = bool(zero[0] and zero[-1])
    for start, end in ((int(a), int(b)) for a, b in edges):
        if start == 0 or end == image.height:
            at_the_end = (start == 0) == upside_down
            if bars or end - start < (_FEWEST_AT_THE_END if at_the_end else _FEWEST):
                continue
        elif end - start < _FEWEST:
            continue
        # The row next to it may be filled in part; the one behind that, if there is one, is full.
        beside = [row for row in (start - 2, end + 1) if 0 <= row < image.height]
        if all(_filled(image, row) >= _FULL for row in beside) and end - start < image.height:
            return True
    return False


def _zero_rows(image: Image.Image) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows are zero throughout. Some columns tell it of most, so that hardly any row is looked at in full."""
    zero = np.ones(image.height, np.bool_)
    for column in np.linspace(0, image.width - 1, _SAMPLED).astype(int):
        pixels = np.asarray(image.crop((column, 0, column + 1, image.height)))
        zero &= ~pixels.reshape(image.height, -1).any(axis=1)
    for row in np.flatnonzero(zero):
        zero[row] = not _row(image, int(row)).any()
    return zero


def _filled(image: Image.Image, row: int) -> float:
    """The share of a row's pixels that are not zero in every colour."""
    pixels = _row(image, row)
    return float(np.mean(pixels != 0 if pixels.ndim == 1 else pixels.any(axis=1)))


def _row(image: Image.Image, row: int) -> np.ndarray[tuple[int, ...], np.dtype[Any]]:
    pixels: np.ndarray[tuple[int, ...], np.dtype[Any]] = np.asarray(image.crop((0, row, image.width, row + 1)))
    return pixels.reshape(image.width, *pixels.shape[2:])


def is_upside_down(bmp: bytes) -> bool:
    """Whether a BMP's file begins with the lowest row."""
    return bmp[14] == 12 or int.from_bytes(bmp[22:26], "little", signed=True) > 0
