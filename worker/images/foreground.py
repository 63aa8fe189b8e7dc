"""Where in a photograph the insert is, where everything else was cut out and left black.

A background is told by what no camera makes: a part of the picture, from its border inwards, is purely black. A
dark photograph has noise there, and a deep shadow within the insert does not reach the border.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from producer.runtime.arrays import BoolArray, UInt8Array

ACROSS: Final = 56
"""Places along a side, about, at which a picture is looked at."""

_BLACK: Final = 24
"""The brightest that a colour of the background is: a JPEG's black rings beside a bright contour."""

_PURE: Final = 3
"""The brightest that a colour is in most of a background; in no photograph of either public set in any of it."""

_LEAST: Final = 0.01
"""The share of the picture that a background has at least, and a foreground too."""


def foreground(pixels: UInt8Array, across: int = ACROSS) -> BoolArray | None:
    """Return where on an even grid over a picture (height, width, 3) the insert is; None where nothing was cut out.

    The grid has every n-th pixel either way, n so that a side has `across` or more, but less than twice as many.
    """
    if pixels[:: len(pixels) - 1, :: pixels.shape[1] - 1].max(axis=2).min() > _BLACK:
        return None  # a background has a corner
    seen = pixels[places(len(pixels), across)][:, places(pixels.shape[1], across)]
    brightest = np.maximum(np.maximum(seen[..., 0], seen[..., 1]), seen[..., 2])
    black = brightest <= _BLACK
    background = _from_the_border(black)
    cells = np.count_nonzero(background)
    if not _LEAST <= cells / background.size <= 1 - _LEAST:
        return None
    if 2 * np.count_nonzero(brightest[background] <= _PURE) < cells:
        return None
    return ~background


def places(side: int, across: int) -> slice:
    """Return which of the pixels along a side of a picture its grid has."""
    step = max(1, side // across)
    return slice(step // 2, None, step)


def _from_the_border(black: BoolArray) -> BoolArray:
    """What is black all the way from one of the four sides, straight on."""
    reached = np.zeros_like(black)
    for lines, into in ((black, reached), (black.T, reached.T)):
        for way in (slice(None), slice(None, None, -1)):
            into[:, way] |= np.logical_and.accumulate(lines[:, way], axis=1)
    return reached
