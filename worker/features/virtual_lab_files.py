"""A labelled set of a feature store as the lab stores it: `features.h5` and `labels.h5`, HDF5 key `dataset_1`.

`features.h5` is a virtual dataset over the shards, so it copies no features; `labels.h5` also has the names of the
classes and the rows' keys. Any program that reads HDF5 can open them. Rows are in the order of the store, not of the
set. Each file is replaced atomically, and both carry a digest of the labelled set: if the digests differ, a reader has
opened one before and one after a replacement (`worker.features.lab_files.opened` checks that). Rows of a shard that was
removed read as NaN, never as numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import h5py
import numpy as np
import structlog

from producer.files.durable_files import replaced_file
from producer.runtime.arrays import Int64Array
from worker.features.lab_files import FEATURES_FILE, KEY, LABELLED_SET, LABELS_FILE
from worker.features.shards import FEATURE_KEYS, FEATURES, ShardGone
from worker.features.view import ShardReader

log = structlog.get_logger()

SHARDS: Final = "shards"
"""Dataset of `features.h5`: the names of the shards that its rows come from."""

_TRIES: Final = 5


class LabelledStore(ShardReader, Protocol):
    """What publishing needs of a `worker.features.store.FeatureStore`."""

    folder: Path
    fingerprint: str
    backbone: str


def write_labels(folder: Path, keys: Sequence[str], labels: Sequence[int], classes: Sequence[str]) -> None:
    """Replace `labels.h5`: the n `labels`, indices into `classes`, of the n `keys`."""
    values = np.asarray(labels, "<i8")
    digest = _digest(classes, keys, values)
    with replaced_file(folder / LABELS_FILE) as path, h5py.File(path, "w") as file:
        dataset = file.create_dataset(KEY, data=values)
        dataset.attrs["classes"] = list(classes)
        dataset.attrs[LABELLED_SET] = digest
        file.create_dataset(FEATURE_KEYS, data=np.array(keys, "S64"))


def _digest(classes: Sequence[str], keys: Sequence[str], values: Int64Array) -> str:
    return hashlib.sha256(" ".join([*classes, *keys]).encode() + values.tobytes()).hexdigest()


def verify(store: LabelledStore) -> str | None:
    """Compare `labels.h5` with the digest that it was written with, and make `features.h5` anew, which follows from it.

    A damaged `labels.h5` is removed with its features: the next training publishes both again.

    Returns:
        What was wrong with `labels.h5`; None where it is as written, or nothing is published.
    """
    labels = store.folder / LABELS_FILE
    try:
        with h5py.File(labels, "r", locking=False) as file:
            dataset = file[KEY]
            keys = [str(key) for key in file[FEATURE_KEYS][()].astype("U64")]
            classes = [str(name) for name in dataset.attrs["classes"]]
            as_written = dataset.attrs[LABELLED_SET] == _digest(classes, keys, np.asarray(dataset[()], "<i8"))
        problem = None if as_written else "its labels have another digest than when they were written"
    except FileNotFoundError:
        return None
    except (OSError, KeyError, ValueError, UnicodeDecodeError) as error:
        problem = f"it cannot be read: {error}"
    if problem is None:
        rebuild(store, anew=True)
    else:
        log.error("damaged labels are removed; the next training publishes them again", file=str(labels))
        (store.folder / FEATURES_FILE).unlink(missing_ok=True)
        labels.unlink(missing_ok=True)
    return problem


def rebuild(store: LabelledStore, *, anew: bool = False) -> None:
    """Make `features.h5` show the rows of `labels.h5` where it does not: after publishing, and when shards were
    removed; with `anew` also where it seems to.

    Where features are missing that it should show, it is removed, so that a part is never taken for the whole.
    """
    for _ in range(_TRIES):  # another process may replace either file meanwhile; the last one finds them consistent
        wanted = _labelled(store.folder)
        if wanted is None:
            return
        digest, keys = wanted
        try:
            shards, shard, row = store.locate(keys)
        except LookupError as error:
            log.warning("features.h5 is removed until it is published again", reason=str(error))
            (store.folder / FEATURES_FILE).unlink(missing_ok=True)
            return
        if not anew and _shows(store.folder / FEATURES_FILE, digest, set(shards)):
            return
        try:
            _write_features(store, digest, shards, shard, row)
        except ShardGone:
            continue


def _labelled(folder: Path) -> tuple[str, list[str]] | None:
    """The labelled set's digest and its keys, or None where nothing is published."""
    try:
        with h5py.File(folder / LABELS_FILE, "r", locking=False) as file:
            return str(file[KEY].attrs[LABELLED_SET]), [str(key) for key in file[FEATURE_KEYS][()].astype("U64")]
    except FileNotFoundError:
        return None
    except (OSError, KeyError) as error:
        log.warning("labels.h5 cannot be read; it is made anew when a labelled set is published", reason=str(error))
        return None


def _shows(path: Path, digest: str, shards: set[str]) -> bool:
    try:
        with h5py.File(path, "r", locking=False) as file:
            dataset = file[KEY]
            drawn_from = {str(name) for name in file[SHARDS][()].astype("U")}
            return dataset.attrs[LABELLED_SET] == digest and shards.issuperset(drawn_from)
    except (OSError, KeyError):
        return False


def _write_features(
    store: LabelledStore, digest: str, shards: tuple[str, ...], shard: Int64Array, row: Int64Array
) -> None:
    size = store.feature_size
    layout = h5py.VirtualLayout((len(row), size), "<f4")
    cuts = np.flatnonzero((np.diff(shard) != 0) | (np.diff(row) != 1)) + 1
    sources: dict[str, Any] = {}
    # One mapping for each run of rows: linear in their number (25,000 take 11 s), where a list of rows is quadratic.
    for begin, end in zip([0, *cuts], [*cuts, len(row)], strict=True):
        name = shards[shard[begin]]
        if name not in sources:
            with store.open(name) as file:
                # Relative to the file that names it, so that the whole folder can be moved.
                sources[name] = h5py.VirtualSource(f"shards/{name}", FEATURES, file[FEATURES].shape, "<f4")
        source = sources[name]
        layout[begin:end] = source[row[begin] : row[end - 1] + 1]
    with replaced_file(store.folder / FEATURES_FILE) as path, h5py.File(path, "w") as file:
        dataset = file.create_virtual_dataset(KEY, layout, fillvalue=np.nan)
        dataset.attrs["backbone"] = store.backbone
        dataset.attrs["fingerprint"] = store.fingerprint
        dataset.attrs[LABELLED_SET] = digest
        file.create_dataset(SHARDS, data=np.array(sorted(sources), "S"))
