"""Where a linear model's decision comes from: each cell's share of it, exactly.

A decision value is a sum over features, and a feature that was pooled over an image is a sum over its cells: of an
average (of the image, or of one row) each cell has 1/n of its activation, of a largest or smallest value all is where
that is. So the decision value is a sum over cells. Every feature is counted from what it usually is on intact inserts
(`usual`): without that the shares say where the network is active at all, which it is everywhere. A largest value that
is below what is usual is so because no cell reaches it: then all have the same part, as of a smallest one above it.
What was left out of the pooling, the background of a cut-out, has no part in anything.

An activation comes from more of the image than its cell: in the default's block 7 from a field of 115 pixels of the 224
(seven cells), in block 14 from one three times as wide as the image. So each share is divided among its cell and the
eight around it, and that of a layer which is coarser than the map lies evenly, as does what would lie outside.

With `usual` u, weights w and intercept b the shares add up to w · (features - u), and with the constant w · u + b to
the decision value.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from db.evidence.evidence_map import MOST_CELLS, EvidenceMap
from producer.runtime.arrays import AnyArray, BoolArray, Float32Array, Float64Array
from worker.networks.grids import spread
from worker.networks.names import Output, pooled_size
from worker.networks.pooling import Inside


def evidence_map(
    coef: Float32Array,
    usual: Float32Array,
    outputs: Sequence[Output],
    maps: Sequence[Float32Array],
    foreground: BoolArray | None = None,
) -> EvidenceMap:
    """Return the shares of one image's cells in the decision value, less the constant.

    Args:
        coef: weights (d,) of the features.
        usual: what each feature (d,) is counted from.
        outputs: how the features are made, as in `worker.networks.loaded_network.Network.outputs`.
        maps: for each output the activations (rows, columns, channels) that it is pooled from.
        foreground: where the insert is, where its background was cut out.
    """
    rows, columns = (_side(max(layer.shape[axis] for layer in maps)) for axis in (0, 1))
    total, inner, evenly = np.zeros((rows, columns)), np.zeros((rows, columns), bool), 0.0
    weights, origin, at = coef.astype(np.float64), usual.astype(np.float64), 0
    for output, layer in zip(outputs, maps, strict=True):
        inside = Inside.of(foreground if output.foreground else None, layer.shape)
        inner |= spread(inside.of_all, rows, columns) > 0
        shares = np.zeros(layer.shape[:2])
        for pooling in output.poolings or ("",):
            part = slice(at, at + pooled_size(layer.shape, pooling))
            shares += _shares(layer, pooling, weights[part], origin[part], inside)
            at = part.stop
        if layer.shape[0] < rows or layer.shape[1] < columns:
            evenly += float(shares.sum())
        else:
            total += spread(shares, rows, columns)
    around = np.where(inner, _thirds(rows) @ total @ _thirds(columns), 0.0)
    return EvidenceMap(around + inner * (total.sum() + evenly - around.sum()) / inner.sum())


@cache
def _thirds(cells: int) -> Float64Array:
    """The matrix (cells, cells) that divides what each cell along a side has among it and its two neighbours."""
    places = np.arange(cells)
    return np.asarray((np.abs(places - places[:, None]) <= 1) / 3)


def _shares(
    layer: Float32Array, pooling: str, weights: Float64Array, origin: Float64Array, inside: Inside
) -> Float64Array:
    """The shares (rows, columns) of one layer's cells in what one of its poolings adds to the decision."""
    rows, columns, channels = layer.shape
    if pooling.endswith(("max", "min")):
        among, largest = inside.of_extreme(pooling), pooling.endswith("max")
        cells = np.flatnonzero(among)
        values = layer.reshape(-1, channels)
        values = values if len(cells) == len(values) else values[cells]
        extreme = values.argmax(axis=0) if largest else values.argmin(axis=0)
        differences = values[extreme, np.arange(channels)] - origin
        parts, there = weights * differences, differences > 0 if largest else differences < 0
        shares = np.where(among.ravel(), parts[~there].sum() / len(cells), 0.0)
        shares += np.bincount(cells[extreme[there]], parts[there], rows * columns)
        return shares.reshape(rows, columns)
    if pooling == "gap":
        return np.asarray((layer @ weights - origin @ weights) * inside.of_all)
    if pooling == "rows":
        in_row, usual = weights.reshape(rows, 1, channels), origin.reshape(rows, 1, channels)
        return np.asarray(np.sum((layer - usual) * in_row, axis=-1) * inside.of_row, np.float64)
    products: AnyArray = (layer.reshape(-1) - origin) * weights
    return np.asarray(products.reshape(layer.shape).sum(axis=-1))


def _side(cells: int) -> int:
    """How many cells a side of the grid has: a whole fraction of the finest layer's."""
    return cells // -(-cells // MOST_CELLS)
