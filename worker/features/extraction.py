"""From the images of a labelled set to features in the store: what is missing, a chunk at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar
from uuid import UUID

import numpy as np
import numpy.typing as npt

from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.storage.store import ImageMissing, ImageStore
from worker.features.store import Generation, sight_of
from worker.images.decoding import UInt8Array, UnusableImage, decode
from worker.images.prefetch import read_ahead

BATCH: Final = 32
"""Images in one forward pass."""

SHARD_BYTES: Final = 16 * 2**20
"""Features are stored when so many have come together, so that a kill costs little and shards are not tiny."""


class Photograph(Protocol):
    """What extraction needs to know of a capture, such as a `db.learning.reviews.Labelled`."""

    @property
    def capture_id(self) -> UUID: ...  # noqa: D102
    @property
    def image(self) -> str: ...  # noqa: D102
    @property
    def image_sha256(self) -> str: ...  # noqa: D102
    @property
    def region(self) -> Mapping[str, int] | None: ...  # noqa: D102


class Network(Protocol):
    """The parts of a `worker.backbones.backbone.Backbone` that extraction needs."""

    fingerprint: str
    feature_size: int
    input_size: tuple[int, int]

    def prepare(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Pixels (n, h, w, 3) to network input of the same shape."""
        ...

    def features(self, prepared: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Network input (n, h, w, 3) to features (n, d)."""
        ...


P = TypeVar("P", bound=Photograph)


@dataclass(frozen=True)
class ChunkResult:
    """How many features an extraction stored, and the captures whose images have none, each with the reason."""

    written: int
    unusable: tuple[tuple[UUID, str], ...]


def sight(item: Photograph) -> str:
    """The name under which the features of a capture's image are stored."""
    return sight_of(item.image_sha256, item.region)


def missing(items: Iterable[P], generation: Generation) -> list[P]:
    """Those of `items` whose features are not in the store, one for each different sight, in their order."""
    known = generation.known()
    first: dict[str, P] = {}
    for item in items:
        name = sight(item)
        if name not in known:
            first.setdefault(name, item)
    return list(first.values())


def extract_chunk(
    items: Iterable[P], images: ImageStore, backbone: Network, generation: Generation, batch: int = BATCH
) -> ChunkResult:
    """Store the features of those `items` that have none yet, with the line's own way of reading images.

    May be repeated, interrupted and done twice at once. Holds two or three batches in memory. An image that cannot be
    used, now or ever, is in the result with the reason, and is tried again the next time. Raises `OSError` when the
    image store cannot be read, and `ValueError` when the generation is not of this backbone.
    """
    if generation.fingerprint != backbone.fingerprint or generation.feature_size != backbone.feature_size:
        raise ValueError(f"{generation.folder} is for the features of {generation.backbone}, not of this backbone")
    unusable: list[tuple[UUID, str]] = []
    stored = 0
    rows: list[npt.NDArray[np.float32]] = []
    sights: list[str] = []
    for taken, pixels in _batches(missing(items, generation), images, backbone.input_size, batch, unusable):
        features = backbone.features(backbone.prepare(pixels))
        finite = np.flatnonzero(np.isfinite(features).all(axis=1))
        unusable += [
            (item.capture_id, "the network's features of it are not finite")
            for row, item in enumerate(taken)
            if row not in finite
        ]
        rows.append(features[finite])
        sights += [sight(taken[row]) for row in finite]
        if 4 * backbone.feature_size * len(sights) >= SHARD_BYTES:
            stored += generation.add(sights, np.concatenate(rows))
            rows, sights = [], []
    if sights:
        stored += generation.add(sights, np.concatenate(rows))
    return ChunkResult(stored, tuple(unusable))


def _batches(
    items: Sequence[P],
    images: ImageStore,
    size: tuple[int, int],
    batch: int,
    unusable: list[tuple[UUID, str]],
) -> Iterator[tuple[list[P], UInt8Array]]:
    """Full batches of readable images (the last may be smaller) with their captures; the others go to `unusable`."""
    taken: list[P] = []
    pixels: list[UInt8Array] = []
    for item, photograph in read_ahead(lambda item: _read(item, images, size), items, batch):
        try:
            pixels.append(photograph.result())
        except (ImageMissing, ValueError) as error:  # a bad image costs only itself, whatever is wrong with it
            unusable.append((item.capture_id, str(error)))
            continue
        taken.append(item)
        if len(taken) == batch:
            yield taken, np.stack(pixels)
            taken, pixels = [], []
    if taken:
        yield taken, np.stack(pixels)


def _read(item: Photograph, images: ImageStore, size: tuple[int, int]) -> UInt8Array:
    """The pixels (h, w, 3) of a capture's image, checked to be the image that was judged and labelled."""
    data = images.get(item.image, MAX_IMAGE_BYTES)
    digest = hashlib.sha256(data).hexdigest()
    if digest != item.image_sha256:
        raise UnusableImage(f"the image {item.image} is not the one that was captured: its SHA-256 is {digest}")
    box = item.region
    return decode(data, size, None if box is None else (box["left"], box["top"], box["width"], box["height"]))
