"""How many pockets each head has, by the head register, and of which an answer is.

An answer alone does not say it: one of fewer pockets than the head has is no answer of the head.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.plant_event import PlantEvent
from producer.contract.plant_news import Hold, InsertChangeAnswer


class HeadSizes:
    """The heads that are declared."""

    def __init__(self) -> None:
        """None is yet."""
        self._declared: dict[str, int] = {}

    def declare(self, pockets: Mapping[str, int]) -> None:
        """Have each head, by its name, have so many pockets."""
        self._declared = {unicodedata.normalize("NFC", head): number for head, number in pockets.items()}

    def of(self, event: PlantEvent) -> int | None:
        """How many pockets the head has that a check, or an insert, is of; None where nobody says so."""
        if not isinstance(event.data, CheckAnswer | Hold | InsertChangeAnswer | VerdictAnswer):
            return None
        return self._declared.get(unicodedata.normalize("NFC", event.data.head))


def highest_pocket(check: CheckAnswer) -> int:
    """The highest pocket that an answer is known to be of."""
    named = named_pockets(check)  # also beyond its size, where it is not believed
    return max(named, default=1) if check.size == 1 else max(named | {check.size})


def named_pockets(check: CheckAnswer) -> set[int]:
    """The pockets that an answer names."""
    return {*check.replace, *check.review}
