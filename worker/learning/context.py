"""Learning from reviews: what its three jobs, `reextract`, `retrain` and `evaluate`, work with.

Each job is a plain function of a `Learning`. Each may be killed at any moment, be run twice at once, and be run again:
what is there already is not done again, and what it leaves (features, a snapshot, a model, a decision) is there wholly
or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from db.engine.database import Database
from db.learning.reviews import Labelled
from producer.storage.store import ImageStore
from worker.features.extraction import Network, sight
from worker.models.candidate import LEARNABLE, binary
from worker.models.costs import Costs

Ints = npt.NDArray[np.int64]

BY = "insert-worker learn"
"""Who promotes models, in the promotions' rows."""


class NamedNetwork(Network, Protocol):
    """A backbone that says what it is called."""

    name: str


@dataclass(frozen=True)
class Learning:
    """Where things are, and what the settings say.

    `features` is the folder of the feature store, `models` that of the model store, `evaluations` that of the
    evaluations; `backbone` gives the network that the line runs, loaded at the first call. `enough_new_labels` is from
    how many new labels on a training is worth its while.
    """

    database: Database
    images: ImageStore
    features: Path
    models: Path
    evaluations: Path
    backbone: Callable[[], NamedNetwork]
    costs: Costs
    enough_new_labels: int


def trainable(items: Iterable[Labelled]) -> list[Labelled]:
    """Those whose labels can be learned from: all but the unusable."""
    return [item for item in items if item.label in LEARNABLE]


@dataclass(frozen=True, eq=False)
class Material:
    """A labelled set as arrays want it: one row for each different sight.

    `items` are the captures, in the order of `sights`; `sides` (n,) are 0 for intact and 1 for damaged, `lives` (n,)
    number the inserts.
    """

    items: tuple[Labelled, ...]
    sights: tuple[str, ...]
    sides: Ints
    lives: Ints

    @property
    def labels(self) -> list[str]:
        """The labels as they were given."""
        return [item.label for item in self.items]

    def inserts(self, side: int) -> int:
        """How many inserts there are with an image of this side."""
        return len(np.unique(self.lives[self.sides == side]))


def material(items: Sequence[Labelled], order: Callable[[list[str]], list[str]] = list) -> Material:
    """The material out of a labelled set; of several captures that look the same the newest review counts.

    `order` puts the sights into the order in which they are read fastest.
    """
    newest: dict[str, Labelled] = {}
    for item in sorted(items, key=lambda each: each.review_id):
        newest[sight(item)] = item
    sights = order(list(newest))
    chosen = tuple(newest[name] for name in sights)
    lives = np.unique([item.insert_key for item in chosen], return_inverse=True)[1] if chosen else np.empty(0)
    return Material(chosen, tuple(sights), binary([item.label for item in chosen]), np.asarray(lives, np.int64))
