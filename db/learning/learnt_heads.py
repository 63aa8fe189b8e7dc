"""The heads whose photographs a model learned from: of any other it can know only by likeness, and that is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from db.learning.model_registry import Model
from db.learning.reviews import Labelled
from producer.contract.names import IMPORTED
from producer.contract.places import HeadPlace

MOST_HEADS: Final = 500
"""Most heads that are written down with a model; where it learned from more, none is said to be new."""


def heads_of(items: Iterable[Labelled]) -> list[list[str]] | None:
    """Return machine and head of each head of the line among `items`, for a model's metrics; None for too many."""
    heads = sorted({(item.machine, item.head) for item in items if item.machine != IMPORTED})
    return [list(place) for place in heads] if len(heads) <= MOST_HEADS else None


def learnt_heads(model: Model) -> frozenset[HeadPlace] | None:
    """Return machine and head of each that `model` learned from; None where that is not known."""
    labelled_set: Any = model.metrics.get("labelled_set") or {}
    heads = labelled_set.get("heads")
    return None if heads is None else frozenset((machine, head) for machine, head in heads)
