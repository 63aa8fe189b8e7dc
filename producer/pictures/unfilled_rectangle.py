"""Parts of one colour in a decoded image that end at lines of pixels: a part of a sensor, or tiles, that never came.

Sensors are read by quarters and halves, and pictures are sent in tiles. What did not come is a part whose outline is a
few lines, exact to the pixel for hundreds of them, with picture right beside it, be it a rectangle, an L or tiles. No
thing before a camera has one: a tenth of a degree, or a lens a pixel out of focus, and its edge leaves the line.

A part as wide or as high as the image is the concern of `producer.pictures.unfilled_rows`.
"""

from __future__ import annotations

from functools import reduce
from typing import Final

import numpy as np

from producer.pictures.lines import changes
from producer.pictures.small_picture import Picture, nearest
from producer.runtime.arrays import AnyArray

_CELLS: Final = 64
"""Cells that the longer side of an image is looked at by."""

_CELL: Final = 8
"""The least pixels of a side of a cell: nearer ones are often of one colour where a picture is smooth."""

_LEAST: Final = 1 / 32
"""The share of an image from which on what never came counts."""

_BAR: Final = 1 / 8
"""The share of an image that a bar at one side alone may have."""

_LONG: Final = 3
"""Cells along which an exact line goes at least."""

_BLEED: Final = 2
"""Pixels by which the colours of a JPEG may bleed into a part: so far its end is seen, and looked at, outside of it."""

_EXACT: Final = 0.85
"""The share of a part's outline that must be exact lines: an inner corner may fall within a cell."""

_BESIDE: Final = 0.75
"""The share of the pixels right beside a part that must be of another colour, and of their neighbours among them."""


def lacks_rectangle(image: Picture) -> bool:
    """Whether large parts of a loaded image have one colour, up to the very pixels of their sides.

    In a JPEG, at any size that it is decoded at, they do where their sides are between blocks: else these blur them.
    """
    width, height = image.size
    cell = max(_CELL, -(-max(height, width) // _CELLS))
    if min(height, width) < 4 * cell:
        return False
    plain, colours = _plain_cells(image, cell)
    if np.count_nonzero(plain) < _LEAST * plain.size:  # of nearly all photographs
        return False
    pixels = np.asarray(image).reshape(height, width, -1)
    for y in (0, cell - 1):
        for x in (0, cell - 1):
            plain &= _same(pixels[y::cell, x::cell][: len(plain), : plain.shape[1]], colours)
            if np.count_nonzero(plain) < _LEAST * plain.size:  # of most others: a plain cell is one by chance
                return False
    codes = colours.astype(np.int64) @ 256 ** np.arange(colours.shape[2])
    codes[~plain] = -1
    rows, columns = _within_bars(codes), _within_bars(codes.T)
    pixels = pixels[rows.start * cell :, columns.start * cell :]
    codes = codes[rows, columns]
    parts = _parts(codes)
    sizes = np.bincount(parts[codes >= 0], minlength=parts.size)
    sides = [_sides(pixels, parts, codes >= 0, cell)]
    if sizes[sides[0][1] >= _LONG].sum() < _LEAST * plain.size:  # of nearly all things before a background
        return False
    sides.append(_sides(pixels.swapaxes(0, 1), parts.T, codes.T >= 0, cell))
    number, exact, other, noise = (np.stack(values) for values in zip(*sides, strict=True))
    total, lines = number.sum(axis=0), exact.sum(axis=0)
    lost = (
        (exact.min(axis=0) >= _LONG)
        & (lines >= _EXACT * total)
        & (other.sum(axis=0) >= _BESIDE * total)
        & (noise.sum(axis=0) >= _BESIDE / 2 * total)
    )
    return bool(sizes[lost].sum() >= _LEAST * plain.size)


def _plain_cells(image: Picture, cell: int) -> tuple[AnyArray, AnyArray]:
    """Which cells (down, across) are of one colour, by three pixels of each, and the colour (down, across, colour)."""
    across, down = image.width // cell, image.height // cell
    right, bottom, off = across * cell, down * cell, cell // 2 - 1
    boxes = ((0, 0, right, bottom), (off, off, right, bottom), (0, off, right - off, bottom))
    some = [nearest(image, (across, down), box).reshape(down, across, -1) for box in boxes]
    return _same(some[1], some[0]) & _same(some[2], some[0]), some[0]


def _same(some: AnyArray, others: AnyArray) -> AnyArray:
    """Which pixels (down, across, colour) are alike: along so short an axis `all` takes three times as long."""
    return np.asarray(reduce(np.logical_and, (some == others).transpose(2, 0, 1)))


def _within_bars(codes: AnyArray) -> slice:
    """The lines of cells between those that are plain throughout at both ends, or are a bar at one of them."""
    whole = (codes >= 0).all(axis=1) & (codes == codes[:, :1]).all(axis=1)
    if whole.all():
        return slice(0, len(whole))
    before, behind = int(np.argmin(whole)), int(np.argmin(whole[::-1]))
    if min(before, behind) == 0 and max(before, behind) > _BAR * len(whole):
        return slice(0, len(whole))
    return slice(before, len(whole) - behind)


def _parts(codes: AnyArray) -> AnyArray:
    """A number for each cell: the same for those of one colour that hang together."""
    parts = np.arange(codes.size).reshape(codes.shape)
    while True:
        before = parts
        parts = _spread(_spread(parts, codes).T, codes.T).T
        if (parts == before).all():
            return parts


def _spread(parts: AnyArray, codes: AnyArray) -> AnyArray:
    """Numbers of which the largest has gone along each row as far as the colour does."""
    begins = np.ones(codes.shape, bool)
    begins[:, 1:] = codes[:, 1:] != codes[:, :-1]
    starts = np.flatnonzero(begins)
    most = np.maximum.reduceat(parts.ravel(), starts)
    return np.asarray(np.repeat(most, np.diff(starts, append=parts.size)).reshape(parts.shape))


def _sides(
    pixels: AnyArray, parts: AnyArray, plain: AnyArray, cell: int
) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray]:
    """Of each part: how many cells are at its left and right sides, and of how many the side is an exact line.

    And, summed over these, the shares of the pixels right beside that have another colour, and that change.
    """
    lines, places, owners, others, noises = [], [], [], [], []
    for side in (-1, 1):
        aside = np.full_like(parts, -1)
        if side < 0:
            aside[:, 1:] = parts[:, :-1]
        else:
            aside[:, :-1] = parts[:, 1:]
        line, column = np.nonzero(plain & (aside >= 0) & (aside != parts))
        last = column * cell + (cell - 1 if side > 0 else 0)
        along = last[:, None] + side * np.arange(1 - cell, cell + 1 + _BLEED)
        along = np.clip(along, 0, pixels.shape[1] - 1)
        across = (line * cell + cell // 2 - _CELL // 2)[:, None] + np.arange(_CELL)
        seen = pixels[across[:, None, :], along[:, :, None]]  # (side, pixel along, pixel across, colour)
        differs = (seen != seen[:, :1, :1]).any(axis=3)
        # 0 where the part goes on through the next cell: in an inner corner.
        first = differs[:, : 2 * cell].any(axis=2).argmax(axis=1)
        beyond = last + side * (first - cell)  # the last pixel of the part
        outside = beyond - beyond % _BLEED + (_BLEED if side > 0 else 0)
        ends, number = first > 0, np.arange(len(line))
        behind = first + _BLEED
        lines.append(line[ends])
        places.append(np.where(first >= cell - _BLEED, outside, -1)[ends])
        owners.append(parts[line, column][ends])
        others.append(differs[number, behind].mean(axis=1)[ends])
        noises.append(changes(seen[number, behind])[ends])
    line, place, owner, other, noise = map(np.concatenate, (lines, places, owners, others, noises))
    exact = _exact(line, place, len(plain), pixels.shape[1], cell)

    def summed(values: AnyArray) -> AnyArray:
        return np.bincount(owner, values, minlength=parts.size)

    return summed(np.ones(len(owner))), summed(exact), summed(other), summed(noise)


def _exact(line: AnyArray, place: AnyArray, lines: int, width: int, cell: int) -> AnyArray:
    """Which places, by the line of cells and the pixel, are in a long exact line that no other goes on a bit aside."""
    ends = np.zeros((lines + 2, width + 2 * cell + 2), bool)  # with room at all sides
    ends[line[place >= 0] + 1, place[place >= 0] + cell] = True
    near = np.cumsum(ends, axis=1)
    long = np.zeros_like(ends)
    down, across = np.nonzero((ends[1:] & ~ends[:-1]).T)[::-1]
    stops, _ = np.nonzero((ends[:-1] & ~ends[1:]).T)[::-1]
    for start, stop, x in zip(down.tolist(), stops.tolist(), across.tolist(), strict=True):
        aside = [near[y, x + cell] - near[y, max(x - cell - 1, 0)] for y in (start, stop + 1)]
        if stop - start >= _LONG and not any(aside):
            long[start + 1 : stop + 1, x] = True
    return np.asarray((place >= 0) & long[line + 1, np.maximum(place, 0) + cell])
