"""`features.h5` and `labels.h5`: the features of a labelled set, in the lab's form (HDF5, dataset key `dataset_1`).

Both are written in batches, so that the features may be far larger than the memory. A chunk is one batch of rows by
1,024 columns: a batch fills whole chunks when it is written, and a block of columns, which is what the Gram matrix
reads, touches no others.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from worker.dataset.duplicates import ImageUnreadable
from worker.images.prefetch import read_ahead
from worker.runtime.arrays import Float32Array, Int64Array, UInt8Array
from worker.runtime.files import replaced_file

FEATURES_FILE = "features.h5"
LABELS_FILE = "labels.h5"
KEY = "dataset_1"
"""Key of the one dataset in each file, as the lab's notebook names it."""
LABELLED_SET = "labelled_set"
"""Attribute of both datasets where they are replaced while others read: the digest of the set that they show."""

_CHUNK_ROWS = 64
_CHUNK_COLUMNS = 1024


class FeatureStoreError(ValueError):
    """The files do not hold the features and labels of one labelled set; the message says why."""


@dataclass(frozen=True)
class Extraction:
    """What an extraction did: how many images it stored, which it could not, and where the time went (seconds)."""

    images: int
    skipped: tuple[tuple[Path, str], ...]
    seconds_reading: float
    seconds_network: float
    seconds_writing: float


def extract(
    folder: Path,
    files: Sequence[Path],
    labels: Int64Array,
    *,
    load: Callable[[Path], UInt8Array],
    features: Callable[[UInt8Array], Float32Array],
    feature_size: int,
    batch: int = 32,
    attributes: Mapping[str, str | int] | None = None,
    advance: Callable[[int], object] = lambda images: None,  # noqa: ARG005
) -> Extraction:
    """Write `features.h5` (m, feature_size) float32 and `labels.h5` (m,) int64 into `folder`, replacing older ones.

    `load` gives the image of a file as (height, width, 3); where it raises `ImageUnreadable`, or the features are not
    finite, the file is skipped and m is smaller than `files`. `features` turns a batch (b, height, width, 3) into
    (b, feature_size). `attributes` are kept on the feature dataset; `advance` is told how many files are done. Holds
    two or three batches in memory, whatever m is. On an error nothing is replaced. Raises `FeatureStoreError` when
    `features` gives another shape, or no image could be used.
    """
    clock = _Clock()
    kept: list[int] = []
    skipped: list[tuple[Path, str]] = []
    with replaced_file(folder / FEATURES_FILE) as features_path, replaced_file(folder / LABELS_FILE) as labels_path:
        with h5py.File(features_path, "w") as store:
            dataset = store.create_dataset(
                KEY,
                shape=(0, feature_size),
                maxshape=(None, feature_size),
                chunks=(min(batch, _CHUNK_ROWS), min(feature_size, _CHUNK_COLUMNS)),
                dtype="<f4",
            )
            dataset.attrs.update(attributes or {})
            for indices, images in _batches(files, load, batch, clock, skipped, advance):
                with clock("network"):
                    values = features(images)
                if values.shape != (len(images), feature_size):
                    raise FeatureStoreError(
                        f"a batch of {len(images)} images became features of shape {values.shape}, not "
                        f"{(len(images), feature_size)}"
                    )
                finite = np.isfinite(values).all(axis=1)
                skipped += [(files[i], "its features are not finite numbers") for i in indices[~finite]]
                with clock("writing"):
                    stored = len(kept)
                    kept += indices[finite].tolist()
                    dataset.resize(len(kept), axis=0)
                    dataset[stored:] = values if finite.all() else values[finite]
        if not kept:
            raise FeatureStoreError(f"none of the {len(files)} images could be used; the first: {skipped[:1]}")
        with h5py.File(labels_path, "w") as store:
            store.create_dataset(KEY, data=np.asarray(labels, np.int64)[kept])
    return Extraction(
        len(kept), tuple(skipped), clock.seconds["reading"], clock.seconds["network"], clock.seconds["writing"]
    )


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Any, Int64Array]]:
    """The features in `folder` as an open HDF5 dataset (n, d), to be read in parts, and the labels as an array (n,).

    Raises `FeatureStoreError` when a file is missing or unreadable, or they do not belong together.
    """
    try:
        with h5py.File(folder / LABELS_FILE, "r") as store:
            labels = np.asarray(store[KEY][()], np.int64)
            labelled_set = store[KEY].attrs.get(LABELLED_SET)
        features_file = h5py.File(folder / FEATURES_FILE, "r")
    except (OSError, KeyError) as error:
        raise FeatureStoreError(f"no features and labels to read in {folder}: {error}") from error
    with features_file:
        dataset = features_file.get(KEY)
        if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 2 or labels.shape != dataset.shape[:1]:
            raise FeatureStoreError(
                f"{folder / FEATURES_FILE} and {folder / LABELS_FILE} do not belong together; extract them again"
            )
        if dataset.attrs.get(LABELLED_SET) != labelled_set:
            raise FeatureStoreError(
                f"the features and labels in {folder} are just being replaced: open them again (and where that was cut "
                "short, publish or compact them again)"
            )
        yield dataset, labels


class _Clock:
    """Seconds that the work waited for each kind of it; images are read ahead while the network runs."""

    def __init__(self) -> None:
        self.seconds = {"reading": 0.0, "network": 0.0, "writing": 0.0}

    @contextmanager
    def __call__(self, work: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[work] += time.perf_counter() - start


def _batches(
    files: Sequence[Path],
    load: Callable[[Path], UInt8Array],
    batch: int,
    clock: _Clock,
    skipped: list[tuple[Path, str]],
    advance: Callable[[int], object],
) -> Iterator[tuple[Int64Array, UInt8Array]]:
    """Full batches of readable images (the last may be smaller), each with the indices of its files."""
    indices: list[int] = []
    images: list[UInt8Array] = []
    done = 0
    for index, (file, photograph) in enumerate(read_ahead(load, files, batch)):
        with clock("reading"):
            try:
                image = photograph.result()
            except ImageUnreadable as error:
                skipped.append((file, str(error)))
            else:
                indices.append(index)
                images.append(image)
        if len(images) == batch or (images and index == len(files) - 1):
            yield np.array(indices, np.int64), np.stack(images)
            indices, images = [], []
            advance(index + 1 - done)
            done = index + 1
    advance(len(files) - done)
