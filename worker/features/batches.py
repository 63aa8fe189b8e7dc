"""The one loop from images to features: read ahead on all cores, skip what cannot be used, batch, run the network.

The lab and learning both extract with it; they differ in how an image is read and in where its features are stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from producer.runtime.arrays import Float32Array, UInt8Array
from worker.images.prefetch import read_ahead

Item = TypeVar("Item")

NOT_FINITE = "its features are not finite numbers"
"""The reason for skipping an image that the network's arithmetic overflows on."""


class FeatureExtractor(Protocol):
    """What turns images into features, such as a `worker.backbones.backbone.Backbone`.

    `input_size` is the (height, width) of the images that it takes, `feature_size` the length of a feature vector, and
    `fingerprint` names all that the features depend on.
    """

    name: str
    fingerprint: str
    feature_size: int
    input_size: tuple[int, int]

    def features_of(self, images: Sequence[UInt8Array]) -> Float32Array:
        """Return the features (n, `feature_size`) of n images (height, width, 3) of 0…255."""
        ...


@dataclass(frozen=True, eq=False)
class FeatureBatch(Generic[Item]):
    """One forward pass: `items` with their finite `features` (b, d), and the items that were `skipped` meanwhile.

    Each skipped one has its reason. `seconds_reading` is how long the network waited for images.
    """

    items: list[Item]
    features: Float32Array
    skipped: list[tuple[Item, str]]
    seconds_reading: float
    seconds_network: float


def feature_batches(
    items: Iterable[Item],
    read: Callable[[Item], UInt8Array],
    extractor: FeatureExtractor,
    *,
    size: int,
    unusable: type[Exception] | tuple[type[Exception], ...],
) -> Iterator[FeatureBatch[Item]]:
    """Extract the features of `items`, in their order, in batches of `size` images that can be used.

    `read` returns an item's image (height, width, 3); where it raises `unusable` the item is skipped, as it is where
    its features are not finite. The last batch may be smaller, down to no image at all. Two or three batches of images
    are in memory, however many items there are.

    Raises:
        ValueError: the extractor returns features of another shape than it says.
    """
    pending = _Pending[Item](extractor)
    for item, image in read_ahead(read, items, size):
        start = time.perf_counter()
        try:
            pixels = image.result()
        except unusable as error:  # a bad image costs only itself, whatever is wrong with it
            pending.skipped.append((item, str(error)))
        else:
            pending.items.append(item)
            pending.images.append(pixels)
        pending.seconds_reading += time.perf_counter() - start
        if len(pending.items) == size:
            yield pending.run()
            pending = _Pending(extractor)
    if pending.items or pending.skipped:
        yield pending.run()


class _Pending(Generic[Item]):
    """A batch that is being filled."""

    def __init__(self, extractor: FeatureExtractor) -> None:
        self.items: list[Item] = []
        self.images: list[UInt8Array] = []
        self.skipped: list[tuple[Item, str]] = []
        self.seconds_reading = 0.0
        self._extractor = extractor

    def run(self) -> FeatureBatch[Item]:
        """Run the network."""
        start = time.perf_counter()
        shape = (len(self.items), self._extractor.feature_size)
        features = self._extractor.features_of(self.images) if self.items else np.empty(shape, np.float32)
        seconds = time.perf_counter() - start
        if features.shape != shape:
            raise ValueError(f"a batch of {shape[0]} images became features of shape {features.shape}, not {shape}")
        finite = np.isfinite(features).all(axis=1)
        skipped = self.skipped + [(self.items[row], NOT_FINITE) for row in np.flatnonzero(~finite)]
        items = [self.items[row] for row in np.flatnonzero(finite)]
        finite_features = features if finite.all() else features[finite]
        return FeatureBatch(items, finite_features, skipped, self.seconds_reading, seconds)
