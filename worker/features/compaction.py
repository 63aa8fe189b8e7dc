"""Merges small shards into larger ones: each day's few images make a few small files, and thousands would be slow.

It may be interrupted at any moment: the merged shard is complete and synced before the small ones are removed, and full
shards are never touched, so a row that is left out because a full shard has it stays there. Concurrent readers find
each row in the old or the new shard; two merges at once copy the same rows twice, which the next merge puts right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from producer.runtime.arrays import Float32Array
from worker.features.shards import FEATURES, ShardDamaged, ShardGone, block_rows, open_shard, sweep, write_shard

FULL_BYTES: Final = 256 * 2**20
"""Most bytes of features in a merged shard: 100,000 × 4,096 features are seven shards."""

_SMALL: Final = 4
"""Shards smaller than a full one divided by this are merged, so that each row is copied a few times, not every day."""


def merge(
    folder: Path, fingerprint: str, feature_size: int, shards: Mapping[str, Sequence[str]], full_bytes: int
) -> list[str]:
    """Merge the small ones among `shards` (name → keys, in order) and return the names that are not needed any more.

    Nothing is removed here but unfinished files of killed writers. Where another process removes a shard meanwhile,
    that group is left to it.
    """
    sweep(folder)
    row_bytes = 4 * feature_size
    small = [name for name, keys in shards.items() if len(keys) * row_bytes * _SMALL < full_bytes]
    stored = {key for name in shards if name not in set(small) for key in shards[name]}
    merged: list[str] = []
    for group in _groups(small, shards, max(1, full_bytes // row_bytes)):
        rows = {name: [row for row, key in enumerate(shards[name]) if key not in stored] for name in group}
        chosen: dict[str, tuple[str, int]] = {}
        for name in group:
            for row in rows[name]:
                chosen.setdefault(shards[name][row], (name, row))
        if len(group) == 1 and len(chosen) == len(shards[group[0]]):
            continue
        if chosen:
            blocks = _blocks(folder, fingerprint, feature_size, list(chosen.values()))
            try:
                name = write_shard(folder, fingerprint, feature_size, list(chosen), blocks)
            except (ShardGone, ShardDamaged):
                continue  # another process merges these, or a reader will report the damage
            group = [other for other in group if other != name]
        stored.update(chosen)
        merged += group
    return merged


def _groups(small: Sequence[str], shards: Mapping[str, Sequence[str]], full_rows: int) -> Iterator[list[str]]:
    """Yield neighbours that together have about `full_rows` rows at most."""
    group: list[str] = []
    rows = 0
    for name in small:
        if group and rows + len(shards[name]) > full_rows:
            yield group
            group, rows = [], 0
        group.append(name)
        rows += len(shards[name])
    if group:
        yield group


def _blocks(
    folder: Path, fingerprint: str, feature_size: int, places: Sequence[tuple[str, int]]
) -> Iterator[Float32Array]:
    """Yield the features at these places (shard, row), shard by shard, one block at most at a time."""
    step = block_rows(feature_size)
    by_shard: dict[str, list[int]] = {}
    for name, row in places:
        by_shard.setdefault(name, []).append(row)
    for name, rows in by_shard.items():
        with open_shard(folder / name, fingerprint, feature_size) as file:
            dataset = file[FEATURES]
            for start in range(0, dataset.shape[0], step):
                kept = [row - start for row in rows if start <= row < start + step]
                if kept:
                    yield dataset[start : start + step][np.array(kept)]
