"""How a layer's maps become features: averages, largest and smallest values, perhaps without a cut-out's background.

The middle of an image is at least the middle half of its rows and columns, in whole cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np

from producer.runtime.arrays import BoolArray, Float32Array, Float64Array
from worker.networks.grids import spread
from worker.networks.names import Output

_MOSTLY: Final = 0.5
"""The share of a cell that is foreground from which on its value may be the largest or smallest."""


def _middle(shape: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(side // 4, side - side // 4) for side in shape[:2])


_POOLINGS: Final[dict[str, Callable[[Float32Array], Float32Array]]] = {
    "gap": lambda maps: maps.mean(axis=(1, 2)),
    "max": lambda maps: maps.max(axis=(1, 2)),
    "min": lambda maps: maps.min(axis=(1, 2)),
    "middle max": lambda maps: maps[:, *_middle(maps.shape[1:])].max(axis=(1, 2)),
    "middle min": lambda maps: maps[:, *_middle(maps.shape[1:])].min(axis=(1, 2)),
    "rows": lambda maps: maps.mean(axis=2).reshape(len(maps), -1),
}
"""From maps (n, rows, columns, channels) to the values (n, …) that each pooling gives of the whole image."""


@dataclass(frozen=True, eq=False)
class Inside:
    """What each cell (rows, columns) of a layer counts for: in an average of all, and in one of its row.

    `cells` are those whose values may be the largest or smallest, `middle` those of the middle; where it has none of
    them, all.
    """

    of_all: Float64Array
    of_row: Float64Array
    cells: BoolArray
    middle: BoolArray

    @classmethod
    def of(cls, foreground: BoolArray | None, shape: Sequence[int]) -> Self:
        """Return the weights of a layer of this shape: the share of each cell that is foreground; None: all alike.

        A row without foreground is averaged as it is.
        """
        rows, columns = shape[:2]
        if foreground is None:
            return cls._everywhere(rows, columns)
        return cls._by(spread(foreground, rows, columns) * (rows * columns / foreground.size))

    @classmethod
    @cache
    def _everywhere(cls, rows: int, columns: int) -> Self:
        return cls._by(np.ones((rows, columns)))

    @classmethod
    def _by(cls, shares: Float64Array) -> Self:
        row = shares.sum(axis=1, keepdims=True)
        of_row = np.where(row > 0, shares / np.where(row > 0, row, 1), 1 / shares.shape[1])
        cells = shares >= min(_MOSTLY, shares.max())
        middle = np.zeros_like(cells)
        middle[_middle(shares.shape)] = cells[_middle(shares.shape)]
        return cls(shares / shares.sum(), of_row, cells, middle if middle.any() else cells)

    def of_extreme(self, pooling: str) -> BoolArray:
        """Return the cells of which a pooling takes the largest or smallest value."""
        return self.middle if pooling.startswith("middle") else self.cells


def pooled(maps: Float32Array, output: Output, foregrounds: Sequence[BoolArray | None]) -> Float32Array:
    """Return the values (n, …) of n images' maps (n, …) of one output, of which each may have a foreground."""
    if not output.pooling:
        return maps.reshape(len(maps), -1)
    values = np.concatenate([_POOLINGS[pooling](maps) for pooling in output.poolings], axis=1)
    if output.foreground:
        for number, foreground in enumerate(foregrounds):
            if foreground is not None:
                inside = Inside.of(foreground, maps.shape[1:])
                parts = [_pooled_inside(maps[number], pooling, inside) for pooling in output.poolings]
                np.concatenate(parts, out=values[number])
    return values


def _pooled_inside(layer: Float32Array, pooling: str, inside: Inside) -> Float32Array:
    if pooling == "gap":
        return np.asarray(np.einsum("rcd,rc->d", layer, inside.of_all), np.float32)
    if pooling == "rows":
        return np.asarray(np.einsum("rcd,rc->rd", layer, inside.of_row), np.float32).ravel()
    cells = layer[inside.of_extreme(pooling)]
    return np.asarray(cells.max(axis=0) if pooling.endswith("max") else cells.min(axis=0))
