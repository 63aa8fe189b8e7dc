"""Extracts the features of a labelled set's images that the feature store lacks, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import numpy as np

from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.runtime.arrays import Float32Array, UInt8Array
from producer.storage.captured_image import ImageOverwritten, captured_image
from producer.storage.store import ImageMissing, ImageStore
from worker.features.batches import FeatureExtractor, feature_batches
from worker.features.store import FeatureStore, feature_key
from worker.images.decoding import UnusableImage, decode
from worker.images.region_cut import stored_cut

BATCH: Final = 32
"""Images in one forward pass."""

SHARD_BYTES: Final = 16 * 2**20
"""Bytes of features from which a shard is written, so that a kill costs little and shards are not tiny."""


class StoredImage(Protocol):
    """What extraction needs to know of a capture, such as a `db.learning.reviews.Labelled`."""

    @property
    def capture_id(self) -> UUID: ...  # noqa: D102
    @property
    def image(self) -> str: ...  # noqa: D102
    @property
    def image_sha256(self) -> str: ...  # noqa: D102
    @property
    def region(self) -> Mapping[str, Any] | None: ...  # noqa: D102


Stored = TypeVar("Stored", bound=StoredImage)


@dataclass(frozen=True)
class ChunkResult:
    """How many features an extraction stored, and the captures whose images have none, each with the reason."""

    written: int
    unusable: tuple[tuple[UUID, str], ...]


def key_of(item: StoredImage) -> str:
    """Return the key under which the features of a capture's image are stored."""
    return feature_key(item.image_sha256, item.region)


def missing(items: Iterable[Stored], store: FeatureStore) -> list[Stored]:
    """Return those of `items` whose features are not in the store, one for each different key, in their order."""
    known = store.known()
    first: dict[str, Stored] = {}
    for item in items:
        name = key_of(item)
        if name not in known:
            first.setdefault(name, item)
    return list(first.values())


def extract_chunk(
    items: Iterable[Stored], images: ImageStore, extractor: FeatureExtractor, store: FeatureStore, batch: int = BATCH
) -> ChunkResult:
    """Store the features of those `items` that have none yet, reading images as the line does.

    May be repeated, interrupted and run twice at once. An image that cannot be used, now or ever, is in the result with
    the reason, and is tried again the next time. Two or three batches are in memory.

    Raises:
        OSError: the image store cannot be read.
        ValueError: the feature store is not this extractor's.
    """
    if store.fingerprint != extractor.fingerprint or store.feature_size != extractor.feature_size:
        raise ValueError(f"{store.folder} is for the features of {store.backbone}, not of this backbone")
    unusable: list[tuple[UUID, str]] = []
    written = 0
    rows: list[Float32Array] = []
    keys: list[str] = []

    def read(item: Stored) -> UInt8Array:
        return read_image(item, images, extractor.input_size)

    for part in feature_batches(
        missing(items, store), read, extractor, size=batch, unusable=(ImageMissing, ValueError)
    ):
        unusable += [(item.capture_id, reason) for item, reason in part.skipped]
        keys += [key_of(item) for item in part.items]
        rows.append(part.features)
        if 4 * extractor.feature_size * len(keys) >= SHARD_BYTES:
            written += store.add(keys, np.concatenate(rows))
            rows, keys = [], []
    if keys:
        written += store.add(keys, np.concatenate(rows))
    return ChunkResult(written, tuple(unusable))


def read_image(item: StoredImage, images: ImageStore, size: tuple[int, int]) -> UInt8Array:
    """Return the pixels (h, w, 3) of a capture's image, checked to be the image that was judged and labelled.

    Raises:
        ImageMissing: the store has it no more.
        UnusableImage: it is another one, or cannot be used.
        OSError: the store cannot be read.
    """
    try:
        data = captured_image(images, item.image, item.image_sha256, MAX_IMAGE_BYTES)
    except ImageOverwritten as error:
        raise UnusableImage(error.reason) from None
    return decode(data, size, stored_cut(item.region))
