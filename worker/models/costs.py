"""The cost matrix of wrong answers and needless looks, from which the unsure band follows. Imports nothing heavy."""

from __future__ import annotations

import math
from dataclasses import dataclass


class BandError(ValueError):
    """The costs or limits make no sense; the message says which."""


@dataclass(frozen=True)
class Costs:
    """What three things cost, in any one unit, all above 0: only their ratios count.

    By default a damaged insert that stays in costs twenty looks (scrap, a broken tool), and changing an intact one
    costs five (the insert, the stop).
    """

    missed_damaged: float = 20.0
    """A damaged insert is called intact."""
    needless_change: float = 5.0
    """An intact insert is called damaged."""
    look: float = 1.0
    """A person looks, and is right."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value > 0):
                raise BandError(f"the cost {name} must be a number above 0, not {value}")
