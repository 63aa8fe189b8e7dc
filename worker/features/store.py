"""The feature store: all features of one backbone's fingerprint, in shards with one writer each.

A store is the folder `<root>/<fingerprint>`. A backbone with another fingerprint has a store of its own, and the old
one stays until it is removed. Any number of processes may add to a store, read it and compact it at once, and each may
be killed at any moment: a shard is there completely or not at all, and one is removed only after its rows are in
another.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt
import structlog

from producer.runtime.arrays import Float32Array, Int64Array
from worker.features import compaction, virtual_lab_files
from worker.features.shards import Broken, ShardDamaged, ShardGone, check_shard, open_shard, read_keys, write_shard
from worker.features.view import FeatureView

log = structlog.get_logger()

DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LISTINGS: Final = 5
_BOX: Final = dict.fromkeys(("left", "top", "width", "height")).keys()


class FeatureStoreError(ValueError):
    """A feature store, or what is to be stored in it, is not as it must be; the message says why."""


class FeaturesMissing(LookupError):
    """Some features are not in the store (yet); extract them first."""


def feature_key(image_sha256: str, region: Mapping[str, Any] | None) -> str:
    """Return the key of an image's features, 64 hexadecimal digits: of its bytes and what is taken of it."""
    if region is None:
        taken = "whole"
    elif region.keys() == _BOX:
        taken = " ".join(str(int(region[side])) for side in _BOX)
    else:
        taken = json.dumps(region, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{image_sha256} {taken}".encode()).hexdigest()


class FeatureStore:
    """The features (n, `feature_size`), float32, of one `fingerprint`, each under its key (see `feature_key`).

    `folder` is where they are, `backbone` the name of the network and layer that they come from. Not for several
    threads: each opens a `FeatureStore` of its own.
    """

    def __init__(self, folder: Path, *, fingerprint: str, backbone: str, feature_size: int) -> None:
        """Use `begin` or `find` of `worker.features.catalogue` instead."""
        self.folder = folder
        self.fingerprint = fingerprint
        self.backbone = backbone
        self.feature_size = feature_size
        self._shards = folder / "shards"
        self._keys: dict[str, list[str]] = {}
        self._damaged: dict[str, int] = {}  # name → time of the refused file; a new file is read again
        self._merged: set[str] = set()  # about to be removed
        self._place: dict[str, tuple[str, int]] = {}

    def known(self) -> set[str]:
        """Return the keys whose features are here. Damaged shards do not count; `verify` puts them aside."""
        self._look()
        return set(self._place)

    def add(self, keys: Sequence[str], features: Float32Array) -> int:
        """Store features (n, feature_size) under their n keys, durably, as one shard, and return how many were new.

        Features that are here already stay as they are. Each call makes one file, so a few megabytes at once are better
        than a row.

        Raises:
            FeatureStoreError: the features are of another shape or not finite, or a key is none.
        """
        if features.shape != (len(keys), self.feature_size):
            raise FeatureStoreError(
                f"{len(keys)} keys need features of shape {(len(keys), self.feature_size)}, not {features.shape}"
            )
        if not all(DIGEST.fullmatch(key) for key in keys):
            raise FeatureStoreError("a key has 64 hexadecimal digits, as `feature_key` gives them")
        self._look()
        new = {key: row for row, key in enumerate(keys) if key not in self._place}
        if not new:
            return 0
        rows = features[list(new.values())]
        if not np.isfinite(rows).all():
            raise FeatureStoreError("features that are not finite numbers cannot be stored")
        write_shard(self._shards, self.fingerprint, self.feature_size, list(new), [rows])
        return len(new)

    def view(self, keys: Sequence[str]) -> FeatureView:
        """Return the features of these keys, in their order, to be read in parts.

        Raises:
            FeaturesMissing: some are not in the store.
        """
        return FeatureView(self, keys)

    def in_order(self, keys: Iterable[str]) -> list[str]:
        """Return these keys, each once, in the order in which they are stored and therefore read fastest.

        Raises:
            FeaturesMissing: some are not in the store.
        """
        wanted = list(dict.fromkeys(keys))
        _, shard, row = self.locate(wanted)
        return [wanted[index] for index in np.lexsort((row, shard))]

    def locate(self, keys: Sequence[str]) -> tuple[tuple[str, ...], Int64Array, Int64Array]:
        """Return the names of the shards, and for each of n keys the index (n,) into them and the row (n,) there.

        Raises:
            FeaturesMissing: some are not in the store.
        """
        for _ in range(_LISTINGS):  # a listing made while shards are merged can lack rows for a moment
            self._look()
            missing = sum(key not in self._place for key in keys)
            if not missing:
                break
        else:
            raise FeaturesMissing(
                f"the features of {missing} of {len(keys)} images by {self.backbone} are not there: extract them"
            )
        names = tuple(self._keys)
        index = {name: number for number, name in enumerate(names)}
        places = [self._place[key] for key in keys]
        shard = np.fromiter((index[name] for name, _ in places), np.int64, len(places))
        return names, shard, np.fromiter((row for _, row in places), np.int64, len(places))

    def open(self, shard: str) -> h5py.File:
        """Open a shard for reading; the caller closes it.

        Raises:
            ShardGone: it is not there.
            ShardDamaged: it cannot be read.
        """
        return open_shard(self._shards / shard, self.fingerprint, self.feature_size)

    def publish(self, keys: Sequence[str], labels: npt.ArrayLike, classes: Sequence[str]) -> None:
        """Write a labelled set as the lab stores it, `features.h5` and `labels.h5` in `folder`.

        `labels` (n,) are indices into the names of `classes`.

        Raises:
            FeaturesMissing: some features are not in the store.
            FeatureStoreError: labels and keys do not fit together.
        """
        numbers = np.asarray(labels, np.int64)
        if numbers.shape != (len(keys),) or len(set(keys)) != len(keys):
            raise FeatureStoreError(f"{len(keys)} different images need a label each, not labels of {numbers.shape}")
        if len(keys) == 0 or numbers.min() < 0 or numbers.max() >= len(classes):
            raise FeatureStoreError(f"each label must be one of the {len(classes)} classes, and there must be some")
        label_of = dict(zip(keys, numbers.tolist(), strict=True))
        ordered = self.in_order(keys)
        virtual_lab_files.write_labels(self.folder, ordered, [label_of[key] for key in ordered], classes)
        virtual_lab_files.rebuild(self)

    def compact(self, full_bytes: int = compaction.FULL_BYTES) -> int:
        """Merge small shards into larger ones of up to `full_bytes`, and return how many fewer there are."""
        self._look()
        merged = compaction.merge(self._shards, self.fingerprint, self.feature_size, self._keys, full_bytes)
        if not merged:
            return 0
        before = len(self._keys)
        self._merged.update(merged)
        virtual_lab_files.rebuild(self)
        for name in merged:
            (self._shards / name).unlink(missing_ok=True)
        self._merged.clear()
        self._look()
        # Another process may have published the old shards just before they were removed.
        virtual_lab_files.rebuild(self)
        return before - len(self._keys)

    def verify(self, progress: Callable[[int, int], object] = lambda done, total: None) -> list[Broken]:  # noqa: ARG005
        """Read all shards and compare them with their digests; return the damaged ones.

        These are put aside, so that their images are extracted again. `progress` is called with how many of how many
        shards are read.
        """
        self._look()
        damaged = []
        names = self._names()
        for done, name in enumerate(names):
            progress(done, len(names))
            try:
                check_shard(self._shards / name, self.fingerprint, self.feature_size)
            except ShardGone:
                continue
            except ShardDamaged as error:
                log.error("a damaged shard of features is put aside", shard=name, reason=str(error))
                aside = self._aside
                aside.mkdir(exist_ok=True)
                (self._shards / name).replace(aside / name)
                damaged.append(Broken(name, str(error), aside / name, tuple(self._keys.get(name, ()))))
        progress(len(names), len(names))
        if damaged:
            self._look()
            virtual_lab_files.rebuild(self)
        return damaged

    def aside(self) -> tuple[Path, ...]:
        """The damaged shards that were put aside, and not deleted yet."""
        return tuple(sorted(self._aside.glob("*.h5")))

    @property
    def _aside(self) -> Path:
        return self.folder / "damaged"

    def _names(self) -> list[str]:
        return sorted(path.name for path in self._shards.glob("*.h5") if path.name not in self._merged)

    def _look(self) -> None:
        """List the shards; only new ones are opened."""
        changed = False
        for _ in range(_LISTINGS):
            names = [name for name in self._names() if not self._is_refused(name)]
            changed, gone = changed or names != list(self._keys), False
            for name in names:
                if name not in self._keys:
                    gone = not self._learn(name) or gone
            if not gone:
                break
        if changed:
            self._keys = {name: self._keys[name] for name in names if name in self._keys}
            # Where two writers stored the same key, the first by name is taken.
            self._place = {
                key: (name, row) for name in reversed(self._keys) for row, key in enumerate(self._keys[name])
            }

    def _learn(self, name: str) -> bool:
        """Read a shard's keys, or refuse it; False where it is not there any more."""
        try:
            self._keys[name] = read_keys(self._shards / name, self.fingerprint, self.feature_size)
        except ShardGone:
            return False
        except ShardDamaged as error:
            log.error("a damaged shard of features is refused, its images count as missing", reason=str(error))
            self._damaged[name] = _changed_at(self._shards / name)
        return True

    def _is_refused(self, name: str) -> bool:
        return name in self._damaged and self._damaged[name] == _changed_at(self._shards / name)


def _changed_at(path: Path) -> int:
    """When a file was last written to, in nanoseconds; -1 where it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return -1
