"""Whether a photograph shows anything: it is neither black nor burnt out, and has contrast."""

from __future__ import annotations

from typing import Final

import numpy as np

from producer.contract.reasons import photographs
from producer.contract.reasons.template import Reason
from producer.runtime.arrays import UInt8Array

# A photograph of an insert has highlights and shadows. These limits only catch a lens cap, a lamp that is out or a
# sensor that is flooded: of 194 real photographs, the nearest to each limit stays well off it (see the tests).
_BLACK_BELOW: Final = 20.0
_BURNT_OUT_ABOVE: Final = 250.0
_CONTRAST_BELOW: Final = 8.0


def shows_nothing(pixels: UInt8Array) -> Reason | None:
    """Return why an image (height, width, 3) cannot show an insert, or None: black, burnt out, without contrast.

    Judged by the brightness (mean of the colours, 0…255) that one pixel in a hundred is below or above.
    """
    few = 0.01 * pixels[..., 0].size
    # What is dark or bright in a quarter of the rows is so in the photograph: of nearly all it says enough.
    return _shows_nothing(pixels[::4], few) and _shows_nothing(pixels, few)


def _shows_nothing(pixels: UInt8Array, few: float) -> Reason | None:
    """The same of some pixels, by the brightness that so many of them are below or above."""
    # Counted rather than sorted: a tenth of the time, which no other thread of a worker can use.
    sums = np.add(pixels[..., 0], pixels[..., 1], dtype=np.uint16)
    sums += pixels[..., 2]
    below = np.cumsum(np.bincount(sums.ravel()))
    darkest, brightest = np.searchsorted(below, (few, sums.size - few)) / 3
    if brightest < _BLACK_BELOW:
        return photographs.BLACK()
    if darkest > _BURNT_OUT_ABOVE:
        return photographs.FLOODED()
    if brightest - darkest < _CONTRAST_BELOW:
        return photographs.NO_CONTRAST()
    return None
