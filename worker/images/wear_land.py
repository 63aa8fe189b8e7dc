"""How wide the wear land along a cutting edge is, measured on the levelled strip of a photograph.

A flank that rubs loses its coating in a band that begins at the edge: the wear land, whose width is the tool-life
criterion of ISO 3685 and ISO 8688 (the mean VB, and the largest VB max). Across the edge a column of pixels is in three
parts, of one brightness each: what is outside the insert, the land, and the flank. Where the parts meet is found by
least squares over all pairs of borders (Fisher 1958, "On grouping for maximum homogeneity"), which lies at half the
height of a step, so that a blur moves neither border. How wide the land then is, is what it adds to the brightness of
the column, as parts of rows count too. Brightness is that of the flank beside it: the light may differ
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

FINE_ROWS: Final = 448
"""Of a strip that has as many the width is measured in so many rows, once it is known where the land is."""

_REACH: Final = 3
"""Rows beyond a border in which it may be blurred."""

_ROUNDS: Final = 3

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
        strip: level, in any size (`worker.images.region_cut.levelled`).
        edge: as it is declared.
    """
    fine = _averaged(strip, min(max(strip.height, ROWS), FINE_ROWS))
    grey = _averaged(strip, ROWS)
    if edge.above >= edge.below:
        fine, grey = fine[::-1], grey[::-1]
    line = ROWS * min(edge.above, edge.below) / edge.height
    first = ROWS - round(_FLANK * (ROWS - line))
    fall = _fall_of_light(grey, round((ROWS + line) / 2))
    fine, grey = _evenly_lit(fine, fall), _evenly_lit(grey, fall)
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
    widths = np.where(is_land, _widths(fine, begin, end, flank, outside), end - begin)
    is_land = _smoothed(is_land.astype(np.float32)) > 0.5
    if is_land.mean() < _LEAST_SHARE:
        return None
    widths = _smoothed(widths)[is_land] * edge.height / ROWS
    return WearLand(
        mean=float(widths.mean()),
        p90=float(np.percentile(widths, 90)),
        maximum=float(widths.max()),
        length=float(is_land.mean() * edge.length),
    )


def _averaged(strip: Image.Image, rows: int) -> Float32Array:
    """The strip in grey, in so many rows and in `COLUMNS`."""
    # By whole pixels first, which takes a third of the time.
    small = strip.convert("L").resize((COLUMNS, rows), Image.Resampling.BOX, reducing_gap=1.0)
    return np.asarray(small, np.float32)


def _fall_of_light(grey: Float32Array, begin: int) -> float:
    """By how much the strip grows brighter across the edge from its first row to its last, by the rows from `begin`."""
    inner = grey[begin:] - np.median(grey[begin:], axis=0)
    return len(grey) * float(np.polynomial.polynomial.polyfit(np.arange(len(inner)), np.median(inner, axis=1), 1)[1])


def _evenly_lit(grey: Float32Array, fall: float) -> Float32Array:
    """The strip without the fall of the light across the edge."""
    rows = np.arange(len(grey), dtype=np.float32) + 0.5
    lit: Float32Array = grey - (fall * rows / len(grey)).astype(np.float32)[:, None]
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


def _widths(
    fine: Float32Array, begin: Int64Array, end: Int64Array, flank: Float32Array, outside: Float32Array
) -> Float64Array:
    """The land's width in each column that has one, in rows and parts of them, as the finer rows show it.

    How much brighter or darker the rows up to the flank are in all, over how much the land is: so many rows it has,
    whatever part of a row its border is in, and however blurred (Tabatabai and Mitchell 1984, "Edge location to
    subpixel values in digital imagery"). What the land's brightness is, is looked up where its middle half then is.
    """
    finer = len(fine) / ROWS
    sums = np.concatenate([np.zeros((1, COLUMNS), np.float32), np.cumsum(fine, axis=0)])
    borders = begin * finer, end * finer
    top, foot = np.maximum(borders[0] - _REACH * finer, 0), np.minimum(borders[1] + _REACH * finer, len(fine))
    first, last = borders
    for _ in range(_ROUNDS):
        middle, quarter = (first + last) / 2, np.maximum((last - first) / 4, 0.5)
        upper, half, lower = (_sum_to(sums, middle + number * quarter) for number in (-1, 0, 1))
        land = (lower - upper) / (2 * quarter)
        with np.errstate(divide="ignore", invalid="ignore"):
            above = (half - _sum_to(sums, top) - outside * (middle - top)) / (land - outside)
            below = (_sum_to(sums, foot) - half - flank * (foot - middle)) / (land - flank)
        first = np.clip(middle - np.nan_to_num(above), top, middle)
        last = np.clip(middle + np.nan_to_num(below), middle, foot)
    return np.asarray((last - first) / finer)


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
