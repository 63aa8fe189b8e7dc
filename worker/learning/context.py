"""Learning from reviews: what its three jobs, `reextract`, `retrain` and `evaluate`, have in common.

Each job is a plain function of a `Learning`, and idempotent: it may be killed at any moment, run twice at once, and run
again. Finished work is not repeated, and its results (features, a snapshot, a model, a decision) are written completely
or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from db.engine.database import Database
from db.learning.reviews import Labelled
from producer.runtime.arrays import Float64Array, Int64Array
from producer.storage.store import ImageStore
from worker.features.batches import FeatureExtractor
from worker.features.extraction import key_of
from worker.models.candidate import LEARNABLE, binary
from worker.models.costs import Costs
from worker.models.label_weights import label_weights

BY = "insert-worker learn"
"""The author of promotions, in their rows."""


class NetworkFile(FeatureExtractor, Protocol):
    """What learning needs to know of a network, such as a `worker.networks.loaded_network.Network`."""

    @property
    def digest(self) -> str:
        """The SHA-256 of its file."""
        ...


@dataclass(frozen=True)
class Learning:
    """Where things are, and what the settings say.

    `features` is the folder of the feature stores, `models` that of the model store, `evaluations` that of the
    evaluations; `backbone` returns the network to extract with, made ready at the first call. `enough_new_labels` is
    the number of new labels from which a training is worthwhile.
    """

    database: Database
    images: ImageStore
    features: Path
    models: Path
    evaluations: Path
    backbone: Callable[[], NetworkFile]
    costs: Costs
    enough_new_labels: int


def trainable(items: Iterable[Labelled]) -> list[Labelled]:
    """Return the items whose labels can be learned from: all but the unusable."""
    return [item for item in items if item.label in LEARNABLE]


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """A labelled set as arrays: one row for each different feature key.

    `items` are the captures, in the order of `keys`; `sides` (n,) are 0 for intact and 1 for damaged, and `groups` (n,)
    number the inserts.
    """

    items: tuple[Labelled, ...]
    keys: tuple[str, ...]
    sides: Int64Array
    groups: Int64Array

    @property
    def labels(self) -> list[str]:
        """The labels as the reviewers gave them."""
        return [item.label for item in self.items]

    @property
    def weights(self) -> Float64Array | None:
        """For how much of the line each label stands; None where too few came by chance."""
        return label_weights([item.chance for item in self.items], self.sides)

    def inserts(self, side: int) -> int:
        """Return how many inserts have an image of this side."""
        return len(np.unique(self.groups[self.sides == side]))


def labelled_set(items: Sequence[Labelled], order: Callable[[list[str]], list[str]] = list) -> LabelledSet:
    """Return `items` as arrays; of several captures with the same image and region the newest review counts.

    `order` puts the keys into the order in which they are read fastest.
    """
    newest: dict[str, Labelled] = {}
    for item in sorted(items, key=lambda item: item.review_id):
        newest[key_of(item)] = item
    keys = order(list(newest))
    chosen = tuple(newest[name] for name in keys)
    lives = np.unique([item.insert_key for item in chosen], return_inverse=True)[1] if chosen else np.empty(0)
    return LabelledSet(chosen, tuple(keys), binary([item.label for item in chosen]), np.asarray(lives, np.int64))
