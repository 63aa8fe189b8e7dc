"""The learnt photographs that are nearest to one: what the model took it to be like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from db.engine.database import Database
from db.learning import snapshots
from db.learning.model_registry import Model
from db.learning.reviews import Labelled
from producer.runtime.arrays import Float32Array, Float64Array
from worker.features import catalogue
from worker.features.extraction import StoredImage, key_of
from worker.features.shards import block_rows
from worker.features.view import FeatureView
from worker.learning.context import LabelledSet, labelled_set, trainable
from worker.models.line_model import LINE_CLASSES

NEAREST: Final = 3
"""How many are shown of either side."""


class NoNeighbours(ValueError):
    """What a model learned from is not at hand; the message says what is missing."""


@dataclass(frozen=True)
class Neighbour:
    """A learnt photograph of a `side` (intact or damaged), and its distance.

    The distance is Euclidean, of features in units of their deviation over the labelled set: as they are when a model
    is fitted.
    """

    item: Labelled
    side: str
    distance: float


class Learnt:
    """The photographs that a model learned from, as far as their features are here. Close it, or use `with`."""

    def __init__(self, database: Database, features: Path, model: Model) -> None:
        """Find them.

        Raises:
            NoNeighbours: there are none.
        """
        if model.snapshot_id is None:
            raise NoNeighbours(f"which photographs {model.model_id} learned from is not recorded")
        store = catalogue.find(features, model.fingerprint)
        if store is None:
            raise NoNeighbours(
                f"the features that {model.model_id} learned from are not in {features}: run this where the learner "
                "runs, or `insert-worker extract`"
            )
        with database.reading() as session:
            items = trainable(snapshots.items(session, model.snapshot_id))
        known = store.known()
        here = [item for item in items if key_of(item) in known]
        if not here:
            raise NoNeighbours(f"none of the features that {model.model_id} learned from are in {store.folder}")
        self._set: LabelledSet = labelled_set(here, store.in_order)
        self._view: FeatureView = store.view(self._set.keys)

    def features_of(self, image: StoredImage) -> Float32Array | None:
        """Return the features of a photograph that is among them, or None."""
        name = key_of(image)
        return self._view[[self._set.keys.index(name)]][0] if name in self._set.keys else None

    def nearest(self, vector: Float32Array, without: StoredImage, count: int = NEAREST) -> list[Neighbour]:
        """Return the nearest of either side, intact first, the nearest first; a photograph is not its own neighbour."""
        deviation = self._deviation()
        scale = np.where(deviation > 0, 1 / np.where(deviation > 0, deviation, 1), 0)
        distances = np.concatenate([np.sqrt((((rows - vector) * scale) ** 2).sum(axis=1)) for rows in self._blocks()])
        distances[[name == key_of(without) for name in self._set.keys]] = np.inf
        order = np.argsort(distances, kind="stable")
        return [
            Neighbour(self._set.items[number], name, float(distances[number]))
            for side, name in enumerate(LINE_CLASSES)
            for number in order[self._set.sides[order] == side][:count]
            if np.isfinite(distances[number])
        ]

    def close(self) -> None:
        """Close the files."""
        self._view.close()

    def __enter__(self) -> Learnt:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _blocks(self) -> Iterator[Float32Array]:
        rows, columns = self._view.shape
        step = block_rows(columns)
        for start in range(0, rows, step):
            yield self._view[start : start + step]

    def _deviation(self) -> Float64Array:
        rows, columns = self._view.shape
        shift, total, squares = self._view[:1][0], np.zeros(columns), np.zeros(columns)
        for block in self._blocks():
            away = (block - shift).astype(np.float64)
            total += away.sum(axis=0)
            squares += (away**2).sum(axis=0)
        return np.asarray(np.sqrt(np.maximum(squares / rows - (total / rows) ** 2, 0)), np.float64)
