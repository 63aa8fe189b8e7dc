"""Rows or columns of a decoded image that are there twice: what stands where picture is missing.

Some decoders and drivers write the last row that came until the image is full, others a pattern: a few bytes over and
over, stripes, a checkerboard. A ring of rows that was read on while no new ones came has the same rows again, be it 16
or 64 of them, up to the end or up to where new ones came. A camera's pixels have noise, so no line of a photograph is
there a second time to the last bit. A JPEG keeps what repeats with its blocks: equal blocks stay equal, at any size
that it is decoded at.

Lines of one colour are the concern of `producer.pictures.unfilled_rows`: a bar and a plain background are that too.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np

from producer.pictures.lines import changes, lines_of, of_one_colour, sampled
from producer.pictures.small_picture import Picture
from producer.runtime.arrays import AnyArray

_APART: Final = 16
"""By how many lines a line must be apart from its like: those of one block of a JPEG may well be alike."""

_SAMPLED: Final = 16
"""Pixels of each line by which its like is looked for; all are compared where these are equal."""

_NARROW: Final = 1 / 64
"""The share of an image that may be there twice: filters copy a few lines at the edge."""

_LEAST: Final = 2
"""How many lines may always be."""

_VARIED: Final = 1 / 64
"""The share of a line's pixels that must differ from the pixel before: a thing's tip before a plain background may be
as narrow in two lines."""

_FACTORS: Final = np.random.default_rng(0).integers(1, 2**63, 2 * _SAMPLED, dtype=np.uint64) | np.uint64(1)
"""What makes one number of a line's samples, eight bytes by eight."""


def is_repeated(image: Picture, *, reduction: int = 1) -> bool:
    """Whether rows, or columns, of a loaded image are there twice to the last bit, and are not of one colour.

    Args:
        image: decoded, with all its bits or eight of them.
        reduction: how many pixels of the file are one of the image, at most 8.
    """
    apart = _APART // reduction
    return any(_repeats(image, rows, apart) for rows in (True, False))


def _repeats(image: Picture, rows: bool, apart: int) -> bool:
    few = sampled(image, rows, _SAMPLED)
    enough = max(_LEAST, len(few) * _NARROW)
    hashes = np.sort(_hashes(few))
    if np.count_nonzero(hashes[1:] == hashes[:-1]) < enough:  # of nearly all photographs
        return False
    alike = _alike(few, np.flatnonzero(~of_one_colour(few)), apart)
    if len(alike) <= enough:
        return False
    pixels = lines_of(image, 0, len(few), rows)
    twice = pixels[_alike(pixels, alike, apart)]
    return bool((changes(twice) >= _VARIED).sum() > enough)


def _hashes(lines: AnyArray) -> AnyArray:
    """A number for each line: the same for those that are equal, and hardly ever for two that are not."""
    words = np.ascontiguousarray(lines).reshape(len(lines), -1).view(np.uint64)
    return np.asarray(words @ _FACTORS[: words.shape[1]])


def _alike(lines: AnyArray, numbers: AnyArray, apart: int) -> AnyArray:
    """The numbers, of these lines, of those that are equal and not all near each other."""
    same: dict[bytes, list[int]] = defaultdict(list)
    for number in numbers.tolist():
        same[lines[number].tobytes()].append(number)
    alike = [number for group in same.values() if group[-1] - group[0] >= apart for number in group]
    return np.array(sorted(alike), np.intp)
