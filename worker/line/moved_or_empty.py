"""Finds a moved camera or an empty pocket, by the contours that a station's photographs share.

Each photograph is kept as a sketch, a few squares of contours (`worker.images.measurements`). It is compared with the
mean of its station's good ones, at every shift, by normalised correlation. One photograph says too little about the
camera, because inserts differ; `TOGETHER` of them in a row say enough. An empty pocket is like what people called
unusable there, and not like the good ones. The good ones themselves define what is usual, for every shift: along an
edge a shifted photograph is as similar as an unshifted one, and if a camera is held by hand a larger gain is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np

from producer.contract.reasons import photographs
from producer.contract.reasons.template import Reason
from producer.runtime.arrays import Float32Array, Float64Array
from worker.images.measurements import SQUARES

TOGETHER: Final = 5
"""Photographs in a row, the last of which may be refused because the camera has moved."""

EXAMPLES: Final = 3
"""Photographs reviewed as unusable that an empty pocket must be like: a single one may be a mistake."""

_BEYOND_USUAL: Final = 1.25
"""By how many standard deviations a shift must gain more than any does in 99 of a hundred rows of good ones."""

_LEAST_SPREAD: Final = 0.01
"""The least spread of what a shift gains: by less than this, photographs differ for no reason."""

_LAST_BY: Final = -0.1
"""What some shift must gain in the last photograph by itself: once the camera is back, those before say nothing."""

_EMPTY_BY: Final = 0.1
"""By how much more like the unusable ones than like the good ones, beyond what is usual."""

_REACH: Final = 5
"""Squares that a photograph is shifted by at most, to each side: three tenths of it."""

_NEAR: Final = 1
"""Squares, to each side, by which a shift is one of a head that stops not quite where it did."""

_DRAWN: Final = 300
"""Rows of photographs drawn from the good ones to see what is usual."""

_DOWN, _RIGHT = np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1].reshape(2, -1)
_SHIFTS: Final = np.hypot(_DOWN, _RIGHT)
_HERE: Final = np.maximum(abs(_DOWN), abs(_RIGHT)) <= _NEAR


class _Others(NamedTuple):
    """Contours that photographs are held against, and what of it is the same for each photograph.

    `known` (n, squares²) are they, each less its mean. At each shift up to `reach` squares to each side, of the part
    that a photograph still covers: its size in `counts` (shifts, 1), the `sums` of `known` there and their `spread`,
    both (shifts, n).
    """

    known: Float32Array
    reach: int
    counts: Float32Array
    sums: Float32Array
    spread: Float32Array

    @classmethod
    def of(cls, contours: Float32Array, reach: int) -> Self:
        """By contours (n, squares, squares)."""
        known = (contours - contours.mean(axis=(1, 2), keepdims=True)).reshape(-1, SQUARES**2)
        left = _at_every_shift(np.ones((SQUARES, SQUARES), np.float32), reach)
        counts = left.sum(axis=1)[:, None]
        sums, squared = np.einsum("sq,nq->sn", left, known), np.einsum("sq,nq->sn", left, known**2)
        return cls(known, reach, counts, sums, squared - sums**2 / counts)

    def alike(self, contours: Float32Array) -> Float64Array:
        """How like each of them a photograph's contours are at every shift: (shifts, n), -1 to 1."""
        # Not BLAS: no threads in a worker that has many of its own.
        moved = _at_every_shift(contours - contours.mean(), self.reach)
        total, of_moved = moved.sum(axis=1)[:, None], (moved**2).sum(axis=1)[:, None]
        common = np.einsum("sq,nq->sn", moved, self.known) - total * self.sums / self.counts
        spread = (of_moved - total**2 / self.counts) * self.spread
        return np.asarray(common / np.sqrt(np.maximum(spread, 1.0)), np.float64)


@dataclass(frozen=True, eq=False)
class Scene:
    """What a station's good photographs share, and those that people called unusable there.

    `usual` is the mean of the good ones' contours, at all shifts; `unusable` are contours, where they are. What each
    shift gains (`_gains`) in rows of good photographs has the mean `gain` and the standard deviation `spread`, both
    (shifts,); `limit` is how many of these above the mean it may be. `like_unusable` is how much more like the unusable
    ones than like `usual`, wherever it is, a good one is.
    """

    usual: _Others
    unusable: _Others
    gain: Float64Array
    spread: Float64Array
    limit: float
    like_unusable: float

    @classmethod
    def of(cls, good: Sequence[bytes], unusable: Sequence[bytes]) -> Self:
        """By the sketches of good photographs, one at least, and of those reviewed as unusable."""
        contours, examples = _contours(good), _Others.of(_contours(unusable), _NEAR)
        usual = _Others.of(contours.mean(axis=0)[None], _REACH)
        alike = np.stack([usual.alike(one)[:, 0] for one in contours])
        like = np.array([_like(one, examples) for one in contours])
        rng = np.random.default_rng(0)
        gains = _gains(np.stack([alike[rng.choice(len(alike), TOGETHER)].mean(axis=0) for _ in range(_DRAWN)]))
        gain, spread = gains.mean(axis=0), gains.std(axis=0) + _LEAST_SPREAD
        limit = float(np.quantile(((gains - gain) / spread).max(axis=1), 0.99)) + _BEYOND_USUAL
        like_unusable = float((like - alike.max(axis=1)).max())
        return cls(usual, examples, gain, spread, limit, max(0.0, like_unusable))

    def seen(self, sketch: bytes) -> Float64Array:
        """How like the good ones a photograph is at every shift: (shifts,), -1 to 1."""
        return self.usual.alike(_contours([sketch])[0])[:, 0]

    def is_shifted(self, seen: Float64Array) -> bool:
        """Whether a photograph, as `seen` here, may be one of a camera that has moved: few of the good ones may."""
        return bool(_gains(seen).max() > _LAST_BY)

    def moved(self, seen: Sequence[Float64Array]) -> Reason | None:
        """Why the last of a station's photographs in a row, as `seen` here, cannot be judged; None where it can.

        Fewer than `TOGETHER` say nothing. Of more the last ones count.
        """
        if len(seen) < TOGETHER or not self.is_shifted(seen[-1]):
            return None
        gains = _gains(np.mean(seen[-TOGETHER:], axis=0))
        beyond_usual = (gains - self.gain) / self.spread
        if gains.max() <= 0 or beyond_usual.max() <= self.limit:
            return None
        shift = float(_SHIFTS[~_HERE][beyond_usual.argmax()])
        return photographs.MOVED(count=TOGETHER, share=shift / SQUARES)

    def empty(self, sketch: bytes, seen: Float64Array) -> Reason | None:
        """Why a photograph, as `seen` here, shows no insert, and what to do; None where nothing says so."""
        like = _like(_contours([sketch])[0], self.unusable)
        return photographs.NO_INSERT() if like > seen.max() + self.like_unusable + _EMPTY_BY else None


def _contours(sketches: Sequence[bytes]) -> Float32Array:
    squares = np.frombuffer(b"".join(sketches), np.uint8).reshape(len(sketches), SQUARES, SQUARES)
    return squares.astype(np.float32)


def _gains(seen: Float64Array) -> Float64Array:
    """The gain in similarity to the good ones of photographs (…, all shifts) at each real shift."""
    return np.asarray(seen[..., ~_HERE] - seen[..., _HERE].max(axis=-1, keepdims=True))


def _like(contours: Float32Array, examples: _Others) -> float:
    """How like the third of the examples that it is most like a photograph is; -1 where they are fewer."""
    if len(examples.known) < EXAMPLES:
        return -1.0
    return float(np.sort(examples.alike(contours).max(axis=0))[-EXAMPLES])


def _at_every_shift(squares: Float32Array, reach: int) -> Float32Array:
    """What is where the photograph was, shifted to every side; nothing comes in from beyond: (shifts, squares²)."""
    beyond = np.zeros((SQUARES + 2 * reach, SQUARES + 2 * reach), np.float32)  # numpy.pad takes longer than all else
    beyond[reach : reach + SQUARES, reach : reach + SQUARES] = squares
    shape = (2 * reach + 1, 2 * reach + 1, *squares.shape)
    # `sliding_window_view` checks for longer than this copies.
    return np.ndarray(shape, np.float32, beyond, 0, beyond.strides * 2).reshape(shape[0] ** 2, -1)
