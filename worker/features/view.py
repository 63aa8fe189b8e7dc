"""A view of chosen rows of a feature store, read in parts like an open HDF5 dataset."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, Protocol, Self

import h5py
import numpy as np

from producer.runtime.arrays import Float32Array, Int64Array
from worker.features.shards import FEATURES, ShardGone, block_rows

_OPEN_FILES: Final = 256
"""Shards beyond this are opened again for every block of columns; `FeatureStore.compact` keeps them far fewer."""
_GAP_BYTES: Final = 128 * 1024
"""Reading this many bytes in vain takes about as long as one more call of HDF5 (40 µs)."""


class ShardReader(Protocol):
    """What reading needs of a `worker.features.store.FeatureStore`."""

    feature_size: int

    def locate(self, keys: Sequence[str]) -> tuple[tuple[str, ...], Int64Array, Int64Array]:
        """Return the names of shards, and for each key the index (n,) into them and the row (n,) there."""
        ...

    def open(self, shard: str) -> h5py.File:
        """Open the shard of that name for reading.

        Raises:
            ShardGone: it was merged into another.
        """
        ...


class FeatureView:
    """The features (n, d), float32, of n keys in their order, as parts: `view[rows]`, `view[rows, columns]`.

    Rows are a slice, indices or a mask, in any order; columns a slice without a step. The selected part becomes an
    array; beside it, two blocks of `worker.features.shards.BLOCK_BYTES` at most are in memory. Rows that are near each
    other in the store are read together, so reading in the store's own order (`FeatureStore.in_order`) is fastest;
    single rows from here and there cost some 50 µs each. Shards may be merged meanwhile. Not for several threads; close
    it, or use `with`.
    """

    def __init__(self, store: ShardReader, keys: Sequence[str]) -> None:
        """Locate the features.

        Raises:
            FeaturesMissing: some are not in the store.
        """
        self._store = store
        self._keys = list(keys)
        self._files: OrderedDict[str, h5py.File] = OrderedDict()
        self._find()

    @property
    def shape(self) -> tuple[int, int]:
        """Number of images, and length of one feature vector."""
        return len(self._keys), self._store.feature_size

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """The type of the features."""
        return np.dtype(np.float32)

    def __getitem__(self, key: Any) -> Float32Array:
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        picked = np.arange(len(self._keys))[rows]
        if picked.ndim != 1 or not isinstance(columns, slice) or columns.step not in (None, 1):
            raise TypeError("a view takes a slice, indices or a mask of rows, and a slice of columns without a step")
        start, stop, _ = columns.indices(self._store.feature_size)
        values = np.empty((len(picked), max(0, stop - start)), np.float32)
        while values.size:
            try:
                self._read(picked, slice(start, stop), values)
                break
            except ShardGone:
                self._find()  # its rows are in another shard now
        return values

    def close(self) -> None:
        """Close the files. The view may be used again afterwards."""
        while self._files:
            self._files.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _find(self) -> None:
        self._shards, self._shard, self._row = self._store.locate(self._keys)

    def _read(self, picked: Int64Array, columns: slice, values: Float32Array) -> None:
        """Fill `values` with the rows `picked`, run by run: rows of one shard with small gaps, a block at most."""
        width = columns.stop - columns.start
        shard, row = self._shard[picked], self._row[picked]
        order = np.lexsort((row, shard))
        shard, row = shard[order], row[order]
        far = (np.diff(row) > max(1, _GAP_BYTES // (4 * width))) | (np.diff(row // block_rows(width)) != 0)
        cuts = np.flatnonzero(far | (np.diff(shard) != 0)) + 1
        for begin, end in zip([0, *cuts], [*cuts, len(order)], strict=True):
            dataset = self._dataset(self._shards[shard[begin]])
            first, last, at = int(row[begin]), int(row[end - 1]), int(order[begin])
            if (np.diff(row[begin:end]) == 1).all() and (np.diff(order[begin:end]) == 1).all():
                dataset.read_direct(values, np.s_[first : last + 1, columns], np.s_[at : at + end - begin])
            else:
                values[order[begin:end]] = dataset[first : last + 1, columns][row[begin:end] - first]

    def _dataset(self, name: str) -> h5py.Dataset:
        file = self._files.get(name)
        if file is None:
            if len(self._files) == _OPEN_FILES:
                self._files.popitem(last=False)[1].close()
            file = self._files[name] = self._store.open(name)
        self._files.move_to_end(name)
        return file[FEATURES]
