"""Lines of one colour among lines of picture: a field of an interlaced camera that was lost, packets that never came.

A thing or a bar of one colour has several lines beside each other (`producer.pictures.unfilled_rows`). A single line
that is plain from one side to the other, with picture on both of its sides, is none of a photograph: a camera's pixels
have noise.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from producer.pictures.lines import lines_of, sampled

_SAMPLED: Final = 16
"""Pixels of each line that are looked at before all of it is."""

_NARROW: Final = 1 / 64
"""The share of lines that may be plain: a sensor may have some that are dead."""


def lacks_lines(image: Image.Image) -> bool:
    """Whether many single rows, or columns, of a loaded image have one colour, and their neighbours do not.

    Not to be asked of a JPEG, whose blocks mix a line with its neighbours.
    """
    return any(_lacks(image, rows) for rows in (True, False))


def _lacks(image: Image.Image, rows: bool) -> bool:
    few = sampled(image, rows, _SAMPLED)
    plain = (few == few[:, :1]).all(axis=(1, 2))
    alone = np.flatnonzero(plain[1:-1] & ~plain[:-2] & ~plain[2:]) + 1
    enough = max(2, len(few) * _NARROW)
    if len(alone) <= enough:
        return False
    pixels = lines_of(image, 0, len(few), rows)[alone]
    return bool((pixels == pixels[:, :1]).all(axis=(1, 2)).sum() > enough)
