"""Proposes from example photographs of one camera where the insert is: a box around it, and an edge that is straight.

What differs from the picture's border is the insert: the camera is fixed, the background dark, plain or cut out. Of
many photographs each pixel's median difference counts, so that no single one decides. It is a proposal, for a person to
look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from producer.contract.region import Edge, Region, bounds
from producer.runtime.arrays import BoolArray, Float64Array, Int64Array

SIDE: Final = 320
"""Pixels of the longer side that photographs are looked at with."""

MOST_PHOTOGRAPHS: Final = 60
"""Photographs that are looked at: more say nothing new of a fixed camera."""

_MARGIN: Final = 0.04
"""Of the insert's size, that a box leaves around it: it may sit a little elsewhere next time."""

_LEAST: Final = 0.02
"""The share of the picture that differs, below which nothing was found."""

_SPECK: Final = 0.02
"""Of the most that a row or column has of the insert: one with less is none of its rows or columns."""

_NEAR: Final = 1.5
"""Pixels that a straight edge's contour is away from its line at most, as the photographs are looked at."""

_STRAIGHT: Final = 0.6
"""The share of an insert's side that must be one line."""

_ABOVE, _BELOW = 0.25, 0.08
"""How far a strip goes into the insert and out of it, as shares of the insert's size across the edge."""

_FEWEST: Final = 16
"""Pixels of a strip across its edge at least: a worker refuses less."""


@dataclass(frozen=True)
class Suggestion:
    """A box around the insert, and the strip along its straightest side; None where none is straight."""

    box: Region
    edge: Edge | None


def suggestion(photographs: Sequence[Image.Image], full_size: tuple[int, int]) -> Suggestion:
    """Propose where the insert is in photographs of one camera.

    Args:
        photographs: all of one size.
        full_size: the width and height that they have in full.

    Raises:
        ValueError: nothing stands out from the background.
    """
    differences = np.median([_difference(photograph) for photograph in photographs], axis=0)
    mask = differences > _threshold(differences)
    if not _LEAST < mask.mean() < 1 - _LEAST:
        raise ValueError(
            "no insert stands out from the background in these photographs: measure a region in one of them, and look "
            "at it with `insert-station heads draw`"
        )
    scale = full_size[0] / mask.shape[1]
    left, right = _extent(mask.sum(axis=0))
    top, bottom = _extent(mask.sum(axis=1))
    return Suggestion(_box((left, top, right, bottom), scale, full_size), _edge(mask, scale, full_size))


def _difference(photograph: Image.Image) -> Float64Array:
    """How much each pixel differs from the picture's border, in any colour."""
    pixels = np.asarray(photograph, np.float64)
    width = max(1, min(pixels.shape[:2]) // 40)
    border = np.concatenate(
        [part.reshape(-1, 3) for part in (pixels[:width], pixels[-width:], pixels[:, :width], pixels[:, -width:])]
    )
    return np.asarray(np.abs(pixels - np.median(border, axis=0)).max(axis=2))


def _threshold(values: Float64Array) -> float:
    """Where two kinds of pixels part best (Otsu 1979)."""
    counts = np.bincount(np.clip(values, 0, 255).astype(int).ravel(), minlength=256).astype(float)
    below, total = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (total / below - (total[-1] - total) / above) ** 2
    best = np.flatnonzero(between >= np.nanmax(between) * (1 - 1e-9)) if np.isfinite(between).any() else np.array([255])
    return float(best.mean()) + 0.5


def _extent(counts: Int64Array) -> tuple[int, int]:
    """From where to where an insert goes, by how much of it is in each column or row: a speck beside it is none."""
    there = np.flatnonzero(counts > max(1, _SPECK * counts.max()))
    return (int(there[0]), int(there[-1]) + 1) if len(there) else (0, len(counts))


def _box(extent: tuple[int, int, int, int], scale: float, full_size: tuple[int, int]) -> Region:
    margin = _MARGIN * max(extent[2] - extent[0], extent[3] - extent[1])
    left, top = (max(0, round((start - margin) * scale)) for start in extent[:2])
    right, bottom = (min(most, round((end + margin) * scale)) for end, most in zip(extent[2:], full_size, strict=True))
    return Region(left=left, top=top, width=right - left, height=bottom - top)


def _edge(mask: BoolArray, scale: float, full_size: tuple[int, int]) -> Edge | None:
    """The strip along the side that is a line for the longest; of equal ones the lower."""
    best: tuple[float, Edge] | None = None
    for turns in range(4):  # with each side as the lower one
        turned = np.rot90(mask, turns)
        lower = _lower_line(turned)
        if lower is None or (best is not None and lower[0] <= best[0]):
            continue
        height = np.diff(_extent(turned.sum(axis=1)))[0]
        ends = [_turned_back(point, turned.shape, turns) for point in lower[1]]
        edge = _strip(ends, height * scale, scale, full_size)
        if edge is not None:
            best = lower[0], edge
    return None if best is None else best[1]


Line = tuple[tuple[float, float], tuple[float, float]]


def _lower_line(mask: BoolArray) -> tuple[float, Line] | None:
    """How much of the width the lower contour is one line, and from where to where; None where it is none."""
    rows = len(mask)
    first, last = _extent(mask.sum(axis=0))
    x = np.flatnonzero(mask.any(axis=0))
    x = x[(x >= first) & (x < last)]
    y = rows - np.argmax(mask[::-1, x], axis=0).astype(float)
    inside = y < rows  # at the picture's border the insert is cut off: that is no edge of it
    x, y = x[inside] + 0.5, y[inside]
    if len(x) < _STRAIGHT * (last - first) or len(x) < 8:
        return None
    # All lines through two of some points, which lie well apart: few enough to try them all.
    some = np.linspace(0, len(x) - 1, min(len(x), 60)).astype(int)
    pairs = [(a, b) for a in some for b in some if x[b] - x[a] > 0.25 * (last - first)]
    slopes = np.array([(y[b] - y[a]) / (x[b] - x[a]) for a, b in pairs])
    offsets = np.array([y[a] for a, _ in pairs]) - slopes * np.array([x[a] for a, _ in pairs])
    near = np.abs(slopes[:, None] * x + offsets[:, None] - y) <= _NEAR
    on_it = near[int(near.sum(axis=1).argmax())]
    share = float(on_it.sum()) / (last - first)
    if share < _STRAIGHT:
        return None
    slope, offset = np.polyfit(x[on_it], y[on_it], 1)
    start, end = float(x[on_it][0]), float(x[on_it][-1])
    return share, ((start, slope * start + offset), (end, slope * end + offset))


def _turned_back(point: tuple[float, float], shape: tuple[int, ...], turns: int) -> tuple[float, float]:
    """A point of a mask of this shape that was turned left so often, in the mask as it was."""
    (x, y), (rows, columns) = point, shape
    for _ in range(turns):  # `rot90` puts what was on the right at the top
        x, y, rows, columns = rows - y, x, columns, rows
    return x, y


def _strip(ends: Sequence[tuple[float, float]], height: float, scale: float, full_size: tuple[int, int]) -> Edge | None:
    """The strip along a line, in full pixels, made shorter until it is inside the photograph."""
    above, below = max(_FEWEST, round(_ABOVE * height)), max(4, round(_BELOW * height))
    start, end = (np.array(point) * scale for point in ends)
    for shortened in np.linspace(0, 0.25, 26):
        (x1, y1), (x2, y2) = start + shortened * (end - start), end - shortened * (end - start)
        for out in (below, below // 2, 0):
            ints = [max(0, round(float(value))) for value in (x1, y1, x2, y2)]
            edge = Edge(**dict(zip(("x1", "y1", "x2", "y2"), ints, strict=True)), above=above, below=out)
            left, top, width, tall = bounds(edge)
            if left >= 0 and top >= 0 and left + width <= full_size[0] and top + tall <= full_size[1]:
                return edge
    return None
