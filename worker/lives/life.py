"""What is known of one insert's life, in operations: between which two looks it was damaged, if it was."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from producer.contract.vocabulary import DamageKind


@dataclass(frozen=True)
class CensoredLife:
    """One insert's life as far as it was seen.

    `stratum` is what it has in common with others: its head, and its operation. It was last known to be intact after
    `low` operations and first known to be damaged after `high` of them (interval-censored); `high` is infinite where no
    damage was seen: it is in use, or was changed while it was intact (right-censored). `entry` is its age when it was
    first seen, 0 where it was followed from new (left-truncated: those that were damaged before are not among the
    lives). `kind` is what ended it, None where nobody said.

    Raises:
        ValueError: not `0 <= entry <= low < high`.
    """

    stratum: Hashable
    low: float
    high: float = math.inf
    kind: DamageKind | None = None
    entry: float = 0.0

    def __post_init__(self) -> None:
        """Check the order of the ages."""
        if not 0 <= self.entry <= self.low < self.high:
            raise ValueError(f"a life has 0 <= entry <= low < high, not {self.entry}, {self.low}, {self.high}")

    @property
    def has_ended(self) -> bool:
        """Whether damage was seen."""
        return self.high < math.inf
