"""How wide the wear land along a cutting edge is, measured on the levelled strip of a photograph.

A flank that rubs loses its coating in a band that begins at the edge: the wear land, whose width is the tool-life
criterion of ISO 3685 and ISO 8688 (the mean VB, and the largest VB max). Across the edge a column of pixels is in three
parts, of one brightness each: what is outside the insert, the land, and the flank. Where the parts meet is found by
least squares over all pairs of borders (Fisher 1958, "On grouping for maximum homogeneity"), which lies at half the
height of a step, so that a blur moves neither border. Brightness is that of the flank beside it: the light may differ
along the edge, and the land may be brighter or darker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from producer.contract.region import Edge
from producer.runtime.arrays import AnyArray, Float32Array, Float64Array, Int64Array

ROWS: Final = 112
COLUMNS: Final = 96
"""The strip is measured in so many rows and columns: averages over its pixels, which noise is little of."""

_FLANK: Final = 1 / 3
"""The share of the strip's inside, farthest from the edge, that is taken for flank without wear."""

_OFF: Final = 0.2
"""How far the contour may be from the declared line, as a share of the strip's inside."""

_CONTRAST: Final = 8.0
"""The least difference in grey between land and flank, and land and outside."""

_ABOVE_NOISE: Final = 3.0
"""That difference at least, in deviations of the flank's own grey."""

_LEAST_ROWS: Final = 2

_LEAST_SHARE: Final = 0.1
"""The share of the edge that must have a land: less is a scratch, a chip or dirt."""

_NEIGHBOURS: Final = 5
"""Columns whose median a column is replaced by."""

_SLOPE: Final = 0.17
"""How much the middle half of a land may rise, as a share of its contrast, where it is neither brighter nor darker than
both the outside and the flank: the blurred border of these two without a land rises by 0.2 and more."""


@dataclass(frozen=True)
class WearLand:
    """The land's width across the edge, where there is one, and its length along it; in pixels of the photograph."""

    mean: float
    p90: float
    """The width that nine tenths of its length do not exceed."""
    maximum: float
    length: float


def wear_land(strip: Image.Image, edge: Edge) -> WearLand | None:
    """Measure the wear land of the strip along an edge; None where none can be told from the flank.

    The insert is on the side to which the strip goes farther (above, where it is equal). A chamfer that shines as a
    land does is measured with it.

    Args:
        strip: level, in any size (`worker.images.cut.levelled`).
        edge: as it is declared.
    """
    # By whole pixels first, which takes a third of the time.
    small = strip.convert("L").resize((COLUMNS, ROWS), Image.Resampling.BOX, reducing_gap=1.0)
    grey = np.asarray(small, np.float32)
    if edge.above >= edge.below:
        grey = grey[::-1]
    line = ROWS * min(edge.above, edge.below) / edge.height
    first = ROWS - round(_FLANK * (ROWS - line))
    grey = _evenly_lit(grey, round((ROWS + line) / 2))
    flank = _smoothed(np.median(grey[first:], axis=0))
    noise = 1.4826 * float(np.median(np.abs(grey[first:] - flank)))
    sums = np.concatenate([np.zeros((1, COLUMNS), np.float32), np.cumsum(grey, axis=0)])
    begin, end, outside = _borders(grey, sums, flank, line, first)
    with np.errstate(divide="ignore", invalid="ignore"):
        land = (_sum_to(sums, end) - _sum_to(sums, begin)) / (end - begin)
        contrast = np.abs(land - flank)
        # What is as bright as the outside is more of it.
        is_land = np.minimum(contrast, np.abs(land - outside)) >= max(_CONTRAST, _ABOVE_NOISE * noise)
        is_between = (land - flank) * (land - outside) < 0
        is_land &= ~is_between | (np.abs(_rise(sums, begin, end)) <= _SLOPE * contrast)
    is_land &= (end - begin >= _LEAST_ROWS) & (end < first)
    is_land = _smoothed(is_land.astype(np.float32)) > 0.5
    if is_land.mean() < _LEAST_SHARE:
        return None
    widths = _smoothed((end - begin).astype(np.float32))[is_land] * edge.height / ROWS
    return WearLand(
        mean=float(widths.mean()),
        p90=float(np.percentile(widths, 90)),
        maximum=float(widths.max()),
        length=float(is_land.mean() * edge.length),
    )


def _evenly_lit(grey: Float32Array, begin: int) -> Float32Array:
    """The strip without the fall of the light across the edge, as its rows from `begin` on have it."""
    inner = grey[begin:] - np.median(grey[begin:], axis=0)
    rows = np.arange(ROWS, dtype=np.float32) - (begin + ROWS - 1) / 2
    slope = np.polynomial.polynomial.polyfit(rows[begin:], np.median(inner, axis=1), 1)[1]
    lit: Float32Array = grey - (slope * rows).astype(np.float32)[:, None]
    return lit


def _borders(
    grey: Float32Array, sums: Float32Array, flank: Float32Array, line: float, first: int
) -> tuple[Int64Array, Int64Array, Float32Array]:
    """The rows where the land of each column begins and ends, equal where there is none, and how bright its outside is.

    Args:
        grey: (rows, columns), the outside first.
        sums: of its rows, from none to all of them.
        flank: the flank's brightness in each column.
        line: the row of the declared line.
        first: the first row that is taken for flank without wear.
    """
    off = round(_OFF * (ROWS - line))
    if line < _LEAST_ROWS:  # the strip begins at the edge: there is no outside to see
        begins, outside = np.array([round(line)]), flank
    else:
        begins = np.arange(max(1, round(line) - off), min(first, round(line) + off) + 1)
        outside = _smoothed(np.median(grey[: begins[0]], axis=0))
    ends = np.arange(begins[0], first + 1)
    rows = (ends - begins[:, None]).astype(np.float32)[..., None]
    # Taken for flank, all of it, a column is off by so much; the outside and the land, by its own mean, explain a part.
    nearer = (grey - flank) ** 2 - (grey - outside) ** 2
    explained = np.concatenate([np.zeros((1, COLUMNS), np.float32), np.cumsum(nearer, axis=0)])[begins][:, None]
    of_all = sums - np.arange(ROWS + 1, dtype=np.float32)[:, None] * flank
    pairs = of_all[ends] - of_all[begins][:, None]
    pairs *= pairs
    pairs /= np.maximum(rows, 1)
    pairs += explained
    pairs[(rows < 0)[..., 0]] = -np.inf
    best = pairs.reshape(-1, COLUMNS).argmax(axis=0)
    return begins[best // len(ends)], ends[best % len(ends)], outside


def _rise(sums: Float32Array, begin: Int64Array, end: Int64Array) -> Float64Array:
    """How much brighter the second half of a land's middle is than the first."""
    quarter = (end - begin) / 4
    to = [_sum_to(sums, begin + number * quarter) for number in (1, 2, 3)]
    return np.asarray(_smoothed((to[2] - 2 * to[1] + to[0]) / quarter))


def _sum_to(sums: Float32Array, rows: Float64Array | Int64Array) -> Float64Array:
    """The sum of each column up to a row, which need not be whole."""
    whole = np.minimum(rows.astype(int), len(sums) - 2)
    places = np.arange(sums.shape[1])
    return np.asarray(sums[whole, places] + (rows - whole) * (sums[whole + 1, places] - sums[whole, places]))


def _smoothed(values: AnyArray) -> AnyArray:
    """The median of each column and its neighbours."""
    padded = np.pad(values, _NEIGHBOURS // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1))
