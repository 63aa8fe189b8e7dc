"""When the camera has moved, or no insert is in the pocket: by the contours that a station's photographs share.

Each photograph is kept as a sketch, a few squares of contours (`worker.images.measurements`). It is held against the
mean of its station's good ones, at every shift, by normalised correlation. One photograph says too little of the
camera, since inserts differ; `TOGETHER` of them in a row do. An empty pocket is like what people called unusable there,
and not like the good ones. What is usual the good ones say themselves, for every shift: along an edge any photograph is
as alike as where it is, and where a camera is held by hand it takes more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from worker.images.measurements import SQUARES
from worker.runtime.arrays import BoolArray, Float32Array, Float64Array

TOGETHER: Final = 5
"""Photographs in a row, the last of which may be refused because the camera has moved."""

EXAMPLES: Final = 3
"""Photographs reviewed as unusable that an empty pocket must be like: a single one may be a mistake."""

_BEYOND_USUAL: Final = 1.25
"""By how many standard deviations a shift must gain more than any does in 99 of a hundred rows of good ones."""

_LEAST_SPREAD: Final = 0.01
"""Of what a shift gains: by less than this, photographs differ for no reason."""

_LAST_BY: Final = -0.1
"""What some shift must gain in the last photograph by itself: once the camera is back, those before say nothing."""

_EMPTY_BY: Final = 0.1
"""By how much more like the unusable ones than like the good ones, beyond what is usual."""

_REACH: Final = 5
"""Squares that a photograph is shifted by at most, to each side: three tenths of it."""

_NEAR: Final = 1.5
"""Squares from which on a shift is none of a head that stops not quite where it did."""

_DRAWN: Final = 300
"""Rows of photographs drawn from the good ones to see what is usual."""

_SIDE: Final = 2 * _REACH + 1
_SHIFTS: Final = np.hypot(*np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1]).ravel()
_HERE: Final = _SHIFTS < _NEAR

_MOVED: Final = (
    "the camera has moved, or the head stops elsewhere: the station's last {count} photographs are shifted by some "
    "{share:.0%} of their size: put it back, and take the photograph again; if it is to stay there, review this one, "
    "and measure the regions of the pockets anew"
)
_EMPTY: Final = (
    "no insert in the pocket: the photograph is like those of its station that were reviewed as unusable, and not like "
    "the good ones: put an insert in, and take it again"
)


@dataclass(frozen=True, eq=False)
class Scene:
    """What a station's good photographs share, and those that people called unusable there.

    `usual` is the mean of the good ones' contours, `unusable` (n, squares, squares) are contours. What each shift gains
    (`_gains`) in rows of good photographs has the mean `gain` and the standard deviation `spread`, both (shifts,);
    `limit` is how many of these above the mean it may be. `like_unusable` is how much more like the unusable ones
    than like `usual`, wherever it is, a good one is.
    """

    usual: Float32Array
    unusable: Float32Array
    gain: Float64Array
    spread: Float64Array
    limit: float
    like_unusable: float

    @classmethod
    def of(cls, good: Sequence[bytes], unusable: Sequence[bytes]) -> Self:
        """By the sketches of good photographs, one at least, and of those reviewed as unusable."""
        contours, examples = _contours(good), _contours(unusable)
        usual = contours.mean(axis=0)
        alike = np.stack([_correlations(one, usual[None])[:, 0] for one in contours])
        like = np.array([_like(one, examples) for one in contours])
        rng = np.random.default_rng(0)
        gains = _gains(np.stack([alike[rng.choice(len(alike), TOGETHER)].mean(axis=0) for _ in range(_DRAWN)]))
        gain, spread = gains.mean(axis=0), gains.std(axis=0) + _LEAST_SPREAD
        limit = float(np.quantile(((gains - gain) / spread).max(axis=1), 0.99)) + _BEYOND_USUAL
        like_unusable = float((like - alike.max(axis=1)).max())
        return cls(usual, examples, gain, spread, limit, max(0.0, like_unusable))

    def seen(self, sketch: bytes) -> Float64Array:
        """How like the good ones a photograph is at every shift: (shifts,), -1 to 1."""
        return _correlations(_contours([sketch])[0], self.usual[None])[:, 0]

    def moved(self, seen: Sequence[Float64Array]) -> str | None:
        """Why the last of a station's photographs in a row, as `seen` here, cannot be judged; None where it can.

        Fewer than `TOGETHER` say nothing. Of more the last ones count.
        """
        if len(seen) < TOGETHER or _gains(seen[-1]).max() <= _LAST_BY:
            return None
        gains = _gains(np.mean(seen[-TOGETHER:], axis=0))
        beyond_usual = (gains - self.gain) / self.spread
        if gains.max() <= 0 or beyond_usual.max() <= self.limit:
            return None
        shift = float(_SHIFTS[~_HERE][beyond_usual.argmax()])
        return _MOVED.format(count=TOGETHER, share=shift / SQUARES)

    def empty(self, sketch: bytes, seen: Float64Array) -> str | None:
        """Why a photograph, as `seen` here, shows no insert, and what to do; None where nothing says so."""
        like = _like(_contours([sketch])[0], self.unusable)
        return _EMPTY if like > seen.max() + self.like_unusable + _EMPTY_BY else None


def _contours(sketches: Sequence[bytes]) -> Float32Array:
    squares = np.frombuffer(b"".join(sketches), np.uint8).reshape(len(sketches), SQUARES, SQUARES)
    return squares.astype(np.float32)


def _gains(seen: Float64Array) -> Float64Array:
    """By how much more like the good ones photographs (…, all shifts) are at each real shift than where they are."""
    return np.asarray(seen[..., ~_HERE] - seen[..., _HERE].max(axis=-1, keepdims=True))


def _like(contours: Float32Array, examples: Float32Array) -> float:
    """How like the third of the examples that it is most like a photograph is; -1 where they are fewer."""
    if len(examples) < EXAMPLES:
        return -1.0
    return float(np.sort(_correlations(contours, examples, _HERE).max(axis=0))[-EXAMPLES])


def _correlations(contours: Float32Array, others: Float32Array, at: slice | BoolArray = slice(None)) -> Float64Array:
    """How like each of the others (n, squares, squares) a photograph is at these shifts: (shifts, n), -1 to 1."""
    # Not BLAS: no threads in a worker that has many of its own.
    moved, left, counts = _at_every_shift(contours - contours.mean())[at], _LEFT[at], _COUNTS[at]
    known = (others - others.mean(axis=(1, 2), keepdims=True)).reshape(len(others), -1)
    sums, squared = np.einsum("sq,nq->sn", left, known), np.einsum("sq,nq->sn", left, known**2)
    total, of_moved = moved.sum(axis=1)[:, None], (moved**2).sum(axis=1)[:, None]
    common = np.einsum("sq,nq->sn", moved, known) - total * sums / counts
    spread = (of_moved - total**2 / counts) * (squared - sums**2 / counts)
    return np.asarray(common / np.sqrt(np.maximum(spread, 1.0)), np.float64)


def _at_every_shift(squares: Float32Array) -> Float32Array:
    """What is where the photograph was, shifted to every side; nothing comes in from beyond: (shifts, squares²)."""
    windows = sliding_window_view(np.pad(squares, _REACH), squares.shape)
    return windows.reshape(_SIDE**2, -1)


_LEFT: Final = _at_every_shift(np.ones((SQUARES, SQUARES), np.float32))
_COUNTS: Final = _LEFT.sum(axis=1)[:, None]
