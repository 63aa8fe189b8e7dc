"""How many operations an insert will last, as a curve: after how many of them which share of its kind is still intact.

Plain arithmetic on a few numbers: whoever reads a stored answer needs no library that fits.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LEVELS: Final = (0.99, 0.97, 0.94, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.06, 0.03, 0.01)
"""The shares still intact at which a curve is kept."""

_HAZARDS: Final = (0.0, *(-math.log(level) for level in LEVELS))


@dataclass(frozen=True)
class SurvivalCurve:
    """Operations from now on, one for each of `LEVELS`, rising: so many are done while that share is still intact.

    Between two of them, and after the last one, the chance of damage in an operation is constant (piecewise
    exponential).

    Raises:
        ValueError: there is not one number for each level, or they do not rise from above zero.
    """

    operations: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the numbers."""
        if len(self.operations) != len(LEVELS):
            raise ValueError(f"a survival curve has {len(LEVELS)} numbers, not {len(self.operations)}")
        if self.operations[0] <= 0 or any(after <= before for before, after in pairwise(self.operations)):
            raise ValueError(f"the numbers of a survival curve rise from above 0: {self.operations}")

    @property
    def median(self) -> float:
        """The operations that half of such inserts last."""
        return self.operations[LEVELS.index(0.5)]

    @property
    def interval(self) -> tuple[float, float]:
        """The operations between which 80 % of such inserts end."""
        return self.operations[LEVELS.index(0.9)], self.operations[LEVELS.index(0.1)]

    def intact_after(self, operations: float) -> float:
        """The share of such inserts that is still intact after so many operations from now on."""
        return math.exp(-self._hazard(max(0.0, operations)))

    def after(self, operations: float) -> SurvivalCurve:
        """The curve of an insert that is still intact after so many more operations."""
        if operations <= 0:
            return self
        done = self._hazard(operations)
        return SurvivalCurve(tuple(self._until(done - math.log(level)) - operations for level in LEVELS))

    def mean_within(self, operations: float, steps: int = 100) -> float:
        """The operations, of so many from now on, that such an insert does on average before it is damaged."""
        width = operations / steps
        return sum(self.intact_after((step + 0.5) * width) for step in range(steps)) * width

    def _hazard(self, operations: float) -> float:
        return _line((0.0, *self.operations), _HAZARDS, operations)

    def _until(self, hazard: float) -> float:
        return _line(_HAZARDS, (0.0, *self.operations), hazard)


def _line(x: Sequence[float], y: Sequence[float], at: float) -> float:
    """A polyline through rising points, which goes on after the last one as it came to it."""
    place = min(max(1, bisect_left(x, at)), len(x) - 1)
    slope = (y[place] - y[place - 1]) / (x[place] - x[place - 1])
    return y[place - 1] + slope * (at - x[place - 1])


def ages(curve: SurvivalCurve, count: int = 60) -> Iterator[float]:
    """Ages at which a rule may change an insert: evenly up to where 1 % of them are left."""
    last = curve.operations[-1]
    return (last * (number + 1) / count for number in range(count))
