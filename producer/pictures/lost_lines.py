"""Lines of one colour among lines of picture: a field of an interlaced camera that was lost, packets that never came.

A thing or a bar of one colour has many lines beside each other (`producer.pictures.unfilled_rows`). A line or a few
that are plain from one side to the other, again and again with picture between them, are none of a photograph: a
camera's pixels have noise.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from producer.pictures.lines import lines_of, of_one_colour, sampled, stretches
from producer.runtime.arrays import AnyArray

_SAMPLED: Final = 16
"""Pixels of each line that are looked at before all of it is."""

_NARROW: Final = 1 / 64
"""The share of lines that may be plain: a sensor may have some that are dead."""

_TOGETHER: Final = 8
"""So many lines beside each other, at most, are of one packet; more are a thing, or a bar."""

_PLACES: Final = 4
"""The least number of places: a cross-hair or a frame that was drawn has fewer."""


def lacks_lines(image: Image.Image) -> bool:
    """Whether rows, or columns, of a loaded image have one colour, a few at a time, and those between them do not.

    Not to be asked of a JPEG, whose blocks mix a line with its neighbours.
    """
    return any(_lacks(image, rows) for rows in (True, False))


def _lacks(image: Image.Image, rows: bool) -> bool:
    few = sampled(image, rows, _SAMPLED)
    lost = _few_together(of_one_colour(few))
    enough = max(2, len(few) * _NARROW)
    if lost.sum() <= enough:
        return False
    pixels = lines_of(image, 0, len(few), rows)
    return bool(_few_together(of_one_colour(pixels)).sum() > enough)


def _few_together(plain: AnyArray) -> AnyArray:
    """Of the lines that are plain those with not many plain ones beside them; none where that is so in few places."""
    lost = np.zeros_like(plain)
    groups = [(start, stop) for start, stop in stretches(plain) if stop - start <= _TOGETHER]
    for start, stop in groups if len(groups) >= _PLACES else ():
        lost[start:stop] = True
    return lost
