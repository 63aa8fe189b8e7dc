"""Colours that stand where nothing was written: zeros, 0xFF, and what decoders leave where nothing was sent."""

from __future__ import annotations

from typing import Final

from producer.pictures.arrays import Array

_OFF: Final = 2
NEARLY: Final = 5
"""Levels by which a colour of fillings, itself seen with up to `_OFF`, may be off at a fraction of the size."""

_DECODERS_GREY: Final = 128
_GREENS: Final = range(60, 170)
"""The green of black in YUV that is zero throughout: 77 to 154, as the standard may be."""


def is_nearly_filling(line: Array) -> bool:
    """Whether all pixels (pixel, colour) of a line may be of one colour that `is_filling`."""
    least, most = line.min(axis=0).astype(int), line.max(axis=0).astype(int)
    if max(most) <= NEARLY or min(least) >= 255 - NEARLY:
        return True
    if min(least) >= _DECODERS_GREY - NEARLY and max(most) <= _DECODERS_GREY + NEARLY:
        return True
    is_green = len(most) == 3 and max(most[0], most[2]) <= NEARLY and most[1] - least[1] <= 2 * NEARLY
    return bool(is_green and _GREENS.start - NEARLY <= least[1] and most[1] < _GREENS.stop + NEARLY)


def is_filling(colour: Array) -> bool:
    """Whether a colour is zeros or 0xFF, or the middle grey or the green that decoders leave."""
    values = colour.astype(int)
    return bool((values <= _OFF).all() or (values >= 255 - _OFF).all()) or is_decoders_own(colour)


def is_decoders_own(colour: Array) -> bool:
    """Whether a colour is the middle grey, or the green, that decoders leave where nothing was sent."""
    values = colour.astype(int)
    if (abs(values - _DECODERS_GREY) <= 1).all():
        return True
    return len(values) == 3 and max(values[0], values[2]) <= _OFF and int(values[1]) in _GREENS
