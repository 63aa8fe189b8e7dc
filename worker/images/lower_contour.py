"""The cutting edge of an insert that was cut out, found by itself: a line along the lower contour of the foreground.

A worn edge has chips, a corner is rounded, and a background may have specks: so the line is the one that most columns
of the picture agree on, and the edge is as long as those.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from producer.contract.region import Edge
from producer.runtime.arrays import Float64Array, UInt8Array
from worker.images.foreground import foreground, places

_ACROSS: Final = 256
"""Places along a side, about, at which the contour is looked for."""

_TRIED: Final = 32
"""Columns of which each two give a line to try."""

_STEEPEST: Final = 1.0
_AGREE: Final = 0.02
"""By how much of the picture's height a column may be off the line that it agrees on."""

_LEAST: Final = 1 / 3
"""The share of the picture's width that an edge has at least, and of the columns that agree on it."""

_INTO, _BEYOND = 0.15, 0.03
"""How far the strip reaches into the insert and beyond the edge, in parts of the edge's length."""


def lower_contour(pixels: UInt8Array) -> Edge | None:
    """Return the edge along the lower contour of a picture (height, width, 3); None where there is none.

    There is none where nothing was cut out, where the foreground goes down to the border, and where no line fits.
    """
    inside = foreground(pixels, _ACROSS)
    if inside is None:
        return None
    height, width = inside.shape
    lowest = height - 1 - inside[::-1].argmax(axis=0)
    columns = np.flatnonzero(inside.any(axis=0) & (lowest < height - 1))
    if len(columns) < _LEAST * width:
        return None
    across, down = columns.astype(np.float64), lowest[columns].astype(np.float64)
    off = max(1.0, _AGREE * height)
    slope, start = _line(across, down, off)
    agree = np.abs(down - slope * across - start) <= off
    first, last = across[agree][[0, -1]]
    if agree.mean() < _LEAST or last - first < _LEAST * width:
        return None
    by = [places(side, _ACROSS).step for side in pixels.shape[:2]]
    (x1, y1), (x2, y2) = (((x + 0.5) * by[1], (slope * x + start + 1) * by[0]) for x in (first, last))
    length = float(np.hypot(x2 - x1, y2 - y1))
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    rounded = {name: max(0, round(value)) for name, value in ends.items()}
    return Edge(**rounded, above=max(1, round(_INTO * length)), below=max(1, round(_BEYOND * length)))


def _line(across: Float64Array, down: Float64Array, off: float) -> tuple[float, float]:
    """The slope and start of the line that most columns agree on within `off`, fitted to those that do."""
    tried = np.linspace(0, len(across) - 1, min(_TRIED, len(across))).astype(int)
    left, right = (tried[ends] for ends in np.triu_indices(len(tried), 1))
    slopes = (down[right] - down[left]) / (across[right] - across[left])
    starts = down[left] - slopes * across[left]
    agree = np.abs(down - slopes[:, None] * across - starts[:, None]) <= off
    best = int(np.where(np.abs(slopes) <= _STEEPEST, agree.sum(axis=1), 0).argmax())
    slope, start = np.polyfit(across[agree[best]], down[agree[best]], 1)
    return float(slope), float(start)
