"""How the photographs were cut that a model learned from: one that is cut otherwise shows it another picture.

An edge fills a strip and is level in it, which it is in no whole photograph. A model that learned from whole ones would
judge strips without a sign that it knows nothing of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from db.learning.model_registry import Model
from db.learning.reviews import Labelled
from producer.contract.region import Form, form_of

FEWEST: Final = 10
"""Photographs of a form that a model has learned from at least, if it knows them, or half of all."""


def forms_of(items: Iterable[Labelled]) -> dict[Form, int]:
    """How many of a labelled set's photographs are cut how, for a model's metrics."""
    return dict(Counter(form_of(item.region) for item in items))


def learnt_forms(model: Model) -> frozenset[str]:
    """The forms that a model has learned; of one from before there were others it is the box."""
    labelled_set: Any = model.metrics.get("labelled_set") or {}
    counts: dict[str, int] = labelled_set.get("forms") or {"box": model.trained_on}
    return frozenset(form for form, count in counts.items() if count >= FEWEST or 2 * count >= sum(counts.values()))
