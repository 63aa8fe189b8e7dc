"""Blocks of a disk that were never written, in the pixels of an uncompressed file.

A computer writes whole blocks of 512 bytes, and pages of 4,096, counted from the beginning of the file. What was never
written begins and ends where they do, whatever it is filled with, and mostly within a row. What a picture has of one
colour begins and ends anywhere: with both ends at a block's in one of 260,000 cases, at a page's in one of 17 million.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from producer.runtime.arrays import AnyArray

BLOCK: Final = 512
_PAGE: Final = 4096

_ENOUGH: Final = 3
"""So many holes between blocks, at columns of their own, are no chance; one between pages is none either."""


def has_unwritten_blocks(every: AnyArray, base: int, repeats_after: AnyArray, first: int, stride: int) -> bool:
    """Whether there are holes of two blocks and more, of a pattern or plain.

    Args:
        every: the bytes from a block's beginning on.
        base: where in the file that is.
        repeats_after: their `producer.pictures.patterns.periods`, by blocks.
        first: where in the file the first row begins.
        stride: how many bytes a row has.
    """
    if first % BLOCK == stride % BLOCK == 0:  # a bar beside the picture may well be between blocks
        return False
    edges = np.flatnonzero(np.diff(repeats_after.astype(np.int16), prepend=0, append=0))
    starts, stops = edges[:-1], edges[1:]
    period = repeats_after[starts].astype(np.int64)
    begins, ends = starts * BLOCK, (stops + 1) * BLOCK  # the last block repeats itself, but not beyond
    inside = (period > 0) & (begins > 0) & (ends < len(every))
    begins, ends, period = begins[inside], ends[inside], period[inside]
    exact = (every[begins - 1] != every[begins - 1 + period]) & (every[ends] != every[ends - period])
    columns: set[int] = set()
    for begin, end, after in zip(begins[exact].tolist(), ends[exact].tolist(), period[exact].tolist(), strict=True):
        last = every[end - BLOCK : end]
        column = (base + begin - first) % stride
        if column and (last[after:] == last[:-after]).all():
            if (base + begin) % _PAGE == (base + end) % _PAGE == 0:
                return True
            columns.add(column)
    return len(columns) >= _ENOUGH


def has_unwritten_end(every: AnyArray, base: int, first: int, stride: int) -> bool:
    """Whether the pixels end with one byte over and over that begins with a page, within a row.

    Args:
        every: the bytes from a block's beginning to the end of the pixels.
        base, first, stride: as `has_unwritten_blocks` has them.
    """
    last = every[-2 * BLOCK :]
    if len(every) <= 2 * BLOCK or (last != last[-1]).any():
        return False
    picture = every[::-1] != last[-1]
    begin = base + len(every) - int(picture.argmax()) if picture.any() else base
    return begin % _PAGE == 0 and begin > first and (begin - first) % stride != 0
