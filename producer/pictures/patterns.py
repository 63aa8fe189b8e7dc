"""Where bytes repeat themselves exactly, one or up to 64 of them over and over: what room was filled with.

The noise of a camera does not repeat itself over hundreds of bytes, neither as it is nor encoded. A drawn area does.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from producer.runtime.arrays import AnyArray

LONGEST: Final = 64
"""Bytes of the longest pattern. Each shorter one, several times, is half as long at least."""

_WORD: Final = 8
_BLOCKS_AT_ONCE: Final = 512
"""Blocks that are copied at once, to be compared: of a plain image that is all of them."""


def periods(every: AnyArray, block: int) -> AnyArray:
    """After how many bytes, 33 to 64, each block of bytes and what follows it repeats itself; 0 where it does not.

    Neighbours with the same number go on with the same pattern. Up to a block and 64 bytes at the end are left out.

    Args:
        every: the bytes.
        block: how many of them are a block.
    """
    count = max(0, (len(every) - LONGEST - _WORD) // block)
    repeats_after = np.zeros(count, np.uint8)
    if not count:
        return repeats_after
    # The first bytes tell of most blocks that they are no repetition.
    shifts = LONGEST // 2
    first = np.ndarray((count, 1), np.uint64, every, 0, (block, 1))
    alike = first == np.ndarray((count, shifts), np.uint64, every, shifts + 1, (block, 1))
    rest = np.flatnonzero(alike.view(np.uint64).any(axis=1))
    for shift in range(shifts) if len(rest) else ():  # hardly any photograph gets here
        period = shift + shifts + 1
        some = rest[alike[rest, shift]]
        for first_of_few in range(0, len(some), _BLOCKS_AT_ONCE):
            few = some[first_of_few : first_of_few + _BLOCKS_AT_ONCE]
            begins, goes_on = (every[at : at + count * block].reshape(count, block)[few] for at in (0, period))
            repeats_after[few[(begins.view(np.uint64) == goes_on.view(np.uint64)).all(axis=1)]] = period
        rest = rest[repeats_after[rest] == 0]
    return repeats_after


def stretches(repeats_after: AnyArray, least: int) -> list[tuple[int, int]]:
    """Where at least so many neighbouring blocks have one of `periods`: the first, and the one behind the last."""
    edges = np.flatnonzero(np.diff(repeats_after.astype(np.int16), prepend=0, append=0)).tolist()
    return [(start, stop) for start, stop in pairwise(edges) if stop - start >= least and repeats_after[start]]
