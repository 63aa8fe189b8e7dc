"""The cost of updating the feature store after 1 % new images, over that of extracting all of it.

Both do all that the periodic task does: find what is missing, extract it chunk by chunk, publish the labelled set and
merge small shards. Each is done by a new `FeatureStore`, as in a process that has just started.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

import numpy as np
from PIL import Image

from benchmarks.measure import Benchmark
from benchmarks.networks import network
from producer.contract.event import new_id
from producer.simulation.head import labelled_images
from producer.storage.folder import FolderStore
from worker.features.catalogue import begin
from worker.features.extraction import extract_chunk, key_of, missing
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.networks.loaded_network import Network

IMAGES = 2000
NEW = IMAGES // 100
CHUNK = 256
RENDERED = 40
SIZE = 512
"""Width and height of the images in pixels: half of a station's, so that the store's own cost weighs more."""


@dataclass(frozen=True)
class StoredPhoto:
    """One image in the store, as extraction sees it."""

    capture_id: UUID
    image: str
    image_sha256: str
    region: None = None


def ratios(samples: int) -> list[float]:
    """`samples` times the seconds for the new images over those for all.

    Raises:
        AssertionError: not all features are there afterwards.
    """
    seeing = network(DEFAULT_BACKBONE)
    measured = []
    with tempfile.TemporaryDirectory(prefix="bench-reextract-") as folder:
        images = FolderStore(Path(folder) / "images")
        photos = [_stored(images, number, data) for number, data in enumerate(_photographs(IMAGES + NEW))]
        for sample in range(samples):
            root = Path(folder) / f"features-{sample}"
            full = _seconds(photos[:IMAGES], images, seeing, root)
            new = _seconds(photos, images, seeing, root)
            print(f"  {IMAGES} images {full:.2f} s, {NEW} new ones {new:.3f} s", flush=True)
            measured.append(new / full)
    return measured


def _seconds(photos: Sequence[StoredPhoto], images: FolderStore, seeing: Network, root: Path) -> float:
    start = time.perf_counter()
    store = begin(root, fingerprint=seeing.fingerprint, backbone=seeing.name, feature_size=seeing.feature_size)
    lacking = missing(photos, store)
    for first in range(0, len(lacking), CHUNK):
        extract_chunk(lacking[first : first + CHUNK], images, seeing, store)
    labels = [number % 2 for number in range(len(photos))]
    store.publish([key_of(photo) for photo in photos], labels, ("intact", "damaged"))
    store.compact()
    seconds = time.perf_counter() - start
    if store.known() != {key_of(photo) for photo in photos}:
        raise AssertionError("not all images have their features in the store")
    return seconds


def _stored(images: FolderStore, number: int, data: bytes) -> StoredPhoto:
    key = f"bench/{number}.jpg"
    images.put(key, data)
    return StoredPhoto(new_id(), key, hashlib.sha256(data).hexdigest())


@cache
def _photographs(count: int) -> list[bytes]:
    """Different JPEGs: a few rendered inserts, each seen from many sides by moving it in its picture."""
    rendered = [np.asarray(Image.open(io.BytesIO(data))) for data, _ in labelled_images(RENDERED, seed=1, size=SIZE)]
    photographs = []
    for number in range(count):
        moved = np.roll(rendered[number % RENDERED], 5 * (number // RENDERED), axis=(number // RENDERED) % 2)
        file = io.BytesIO()
        Image.fromarray(moved).save(file, "JPEG", quality=92)
        photographs.append(file.getvalue())
    return photographs


BENCHMARKS = (
    Benchmark(
        name="reextract_1_percent",
        sentence=f"seconds to bring the store of {IMAGES} images up to date after 1 % new ones, over making it",
        unit="of the full extraction",
        target=0.03,
        at_least=False,
        measure=ratios,
        samples=3,
    ),
)
