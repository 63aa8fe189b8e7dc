"""Colours that stand where nothing was written: zeros, 0xFF, and what decoders leave where nothing was sent."""

from __future__ import annotations

from typing import Final

import numpy as np

from producer.runtime.arrays import AnyArray

_OFF: Final = 2
NEARLY: Final = 5
"""Levels by which a colour of fillings, itself seen with up to `_OFF`, may be off at a fraction of the size."""

_DECODERS_GREY: Final = 128
_GREENS: Final = range(60, 170)
"""The green of black in YUV that is zero throughout: 77 to 154, as the standard may be."""


def nearly_filling(lines: AnyArray) -> AnyArray:
    """Which lines (line, pixel, colour) may have all pixels of one colour that `is_filling`."""
    return nearly_filling_between(*limits_of(lines))


def limits_of(lines: AnyArray) -> tuple[AnyArray, AnyArray]:
    """The least and the most of each colour in each of the lines (line, pixel, colour): both (colour, line)."""
    by_line = np.ascontiguousarray(lines.transpose(1, 2, 0))  # (pixel, colour, line): numpy takes lines together
    return by_line.min(axis=0), by_line.max(axis=0)


def nearly_filling_between(least: AnyArray, most: AnyArray) -> AnyArray:
    """The same of lines whose `limits_of` these are."""
    least, most = least.astype(int), most.astype(int)
    darkest, brightest = least.min(axis=0), most.max(axis=0)
    nearly = (brightest <= NEARLY) | (darkest >= 255 - NEARLY)
    nearly |= (darkest >= _DECODERS_GREY - NEARLY) & (brightest <= _DECODERS_GREY + NEARLY)
    if len(least) == 3:
        is_green = (most[::2].max(axis=0) <= NEARLY) & (most[1] - least[1] <= 2 * NEARLY)
        nearly |= is_green & (least[1] >= _GREENS.start - NEARLY) & (most[1] < _GREENS.stop + NEARLY)
    return np.asarray(nearly)


def is_filling(colour: AnyArray) -> bool:
    """Whether a colour is zeros or 0xFF, or the middle grey or the green that decoders leave."""
    values = colour.astype(int)
    return bool((values <= _OFF).all() or (values >= 255 - _OFF).all()) or is_decoders_own(colour)


def is_decoders_own(colour: AnyArray) -> bool:
    """Whether a colour is the middle grey, or the green, that decoders leave where nothing was sent."""
    values = colour.astype(int)
    if (abs(values - _DECODERS_GREY) <= 1).all():
        return True
    return len(values) == 3 and max(values[0], values[2]) <= _OFF and int(values[1]) in _GREENS
