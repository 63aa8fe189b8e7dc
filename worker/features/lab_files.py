"""The features of a labelled set as the lab stores them: `features.h5` and `labels.h5` (HDF5, dataset key `dataset_1`).

Both are written in batches, so that the features may be far larger than the memory. An HDF5 chunk is one batch of rows
by 1,024 columns: a batch fills whole chunks when it is written, and a block of columns, which is what the Gram matrix
reads, touches no others.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from producer.files.durable_files import replaced_file
from producer.runtime.arrays import Int64Array, UInt8Array
from worker.dataset.duplicates import ImageUnreadable
from worker.features.batches import FeatureExtractor, feature_batches

FEATURES_FILE = "features.h5"
LABELS_FILE = "labels.h5"
KEY = "dataset_1"
"""Key of the one dataset in each file, as the lab's notebook names it."""
LABELLED_SET = "labelled_set"
"""Attribute of both datasets where these may be replaced while others read: the digest of the labelled set."""

_CHUNK_ROWS = 64
_CHUNK_COLUMNS = 1024


class LabFilesError(ValueError):
    """The files do not hold the features and labels of one labelled set; the message says why."""


@dataclass(frozen=True)
class Extraction:
    """How many images were stored, which could not be and why, and the seconds that reading and the network took."""

    images: int
    skipped: tuple[tuple[Path, str], ...]
    seconds_reading: float
    seconds_network: float


def extract(
    folder: Path,
    files: Sequence[Path],
    labels: Int64Array,
    *,
    load: Callable[[Path], UInt8Array],
    extractor: FeatureExtractor,
    batch: int = 32,
    progress: Callable[[int, int], object] = lambda done, total: None,  # noqa: ARG005
) -> Extraction:
    """Write `features.h5` (m, d) float32 and `labels.h5` (m,) int64 into `folder`, replacing older ones.

    `load` returns the image of a file as (height, width, 3); where it raises `ImageUnreadable`, or the features are not
    finite, the file is skipped and m is smaller than `files`. `progress` is called with how many of how many files are
    done. Two or three batches are in memory, whatever m is. On an error nothing is replaced.

    Raises:
        LabFilesError: no image could be used.
        ValueError: the extractor returns features of another shape than it says.
    """
    kept: list[int] = []
    skipped: list[tuple[Path, str]] = []
    reading = network = 0.0
    with replaced_file(folder / FEATURES_FILE) as features_path, replaced_file(folder / LABELS_FILE) as labels_path:
        with h5py.File(features_path, "w") as store:
            dataset = store.create_dataset(
                KEY,
                shape=(0, extractor.feature_size),
                maxshape=(None, extractor.feature_size),
                chunks=(min(batch, _CHUNK_ROWS), min(extractor.feature_size, _CHUNK_COLUMNS)),
                dtype="<f4",
            )
            dataset.attrs.update({"backbone": extractor.name, "fingerprint": extractor.fingerprint})
            rows = range(len(files))
            for part in feature_batches(
                rows, lambda row: load(files[row]), extractor, size=batch, unusable=ImageUnreadable
            ):
                dataset.resize(len(kept) + len(part.items), axis=0)
                dataset[len(kept) :] = part.features
                reading += part.seconds_reading
                network += part.seconds_network
                kept += part.items
                skipped += [(files[row], reason) for row, reason in part.skipped]
                progress(len(kept) + len(skipped), len(files))
        if not kept:
            raise LabFilesError(f"none of the {len(files)} images could be used; the first: {skipped[:1]}")
        with h5py.File(labels_path, "w") as store:
            store.create_dataset(KEY, data=np.asarray(labels, np.int64)[kept])
    return Extraction(len(kept), tuple(skipped), reading, network)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Any, Int64Array]]:
    """Open the features in `folder` as an HDF5 dataset (n, d), to be read in parts, with the labels as an array (n,).

    Raises:
        LabFilesError: a file is missing or unreadable, or they do not belong together.
    """
    try:
        with h5py.File(folder / LABELS_FILE, "r") as store:
            labels = np.asarray(store[KEY][()], np.int64)
            labelled_set = store[KEY].attrs.get(LABELLED_SET)
        features_file = h5py.File(folder / FEATURES_FILE, "r")
    except (OSError, KeyError) as error:
        raise LabFilesError(f"no features and labels to read in {folder}: {error}") from error
    with features_file:
        dataset = features_file.get(KEY)
        if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 2 or labels.shape != dataset.shape[:1]:
            raise LabFilesError(
                f"{folder / FEATURES_FILE} and {folder / LABELS_FILE} do not belong together; extract them again"
            )
        if dataset.attrs.get(LABELLED_SET) != labelled_set:
            raise LabFilesError(
                f"the features and labels in {folder} are just being replaced: open them again (and where that was cut "
                "short, publish or compact them again)"
            )
        yield dataset, labels
