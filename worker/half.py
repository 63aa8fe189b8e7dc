"""Half a photograph that looks like a whole one: what only its pixels show. See `producer.whole` for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageChops

from producer.whole import jpeg_end

_GREYS: Final = (127, 128)
"""What libjpeg fills the rest of an image with whose data end early (127: inverted, as CMYK is); it only warns, and
Pillow hears nothing of it."""

_CORNER: Final = 4
_MORE: Final = b"\x5a\xc3\x96\x2d" * 256
"""Bytes that a decoder still in need of data makes some picture of."""

_FULL: Final = 0.9
_FEWEST_ROWS: Final = 2


def jpeg_lacks_data(image: Image.Image, data: bytes, again: Callable[[bytes], Image.Image]) -> bool:
    """Whether a loaded JPEG, which has its end marker, ends before its last pixels do.

    Told by trying: a decoder that has all its pixels passes over further data, one that lacks some reads on and makes
    other pixels. Tried only where the last corner is as grey as what is filled in, and of progressive images, which
    lack detail rather than rows. ``again`` opens other bytes the same way.
    """
    end = jpeg_end(data)
    if end is None:
        return True
    corner = image.crop((max(image.width - _CORNER, 0), max(image.height - _CORNER, 0), image.width, image.height))
    if not (image.info.get("progressive") or np.isin(np.asarray(corner), _GREYS).all()):
        return False
    more = again(data[: end - 2] + _MORE + b"\xff\xd9")
    try:
        more.load()
    except OSError:
        return True
    return ImageChops.difference(more, image).getbbox() is not None


def ends_at_one_stroke(image: Image.Image, *, upside_down: bool) -> bool:
    """Whether an image's last rows are zero throughout and the row before is not: room that was never filled.

    A file is filled to some byte; so the row in which the filling ended is zero from there on and the one before it is
    full. A thing before a black background ends otherwise: beside it too is background. An image with black bars at
    both ends is whole. ``upside_down`` says that the file begins with the lowest row, as most BMPs do.
    """
    first, last = (image.height - 1, 0) if upside_down else (0, image.height - 1)
    if image.height <= 2 * _FEWEST_ROWS or _filled(image, last) or not _filled(image, first):
        return False
    step = 1 if upside_down else -1
    row = last
    while not _filled(image, row):
        row += step
    if abs(row - last) < _FEWEST_ROWS or row == first:
        return False
    return _filled(image, row + step) >= _FULL


def _filled(image: Image.Image, row: int) -> float:
    """The share of a row's pixels that are not zero in every colour."""
    pixels = np.asarray(image.crop((0, row, image.width, row + 1)))[0]
    return float(np.mean(pixels != 0 if pixels.ndim == 1 else pixels.any(axis=1)))
