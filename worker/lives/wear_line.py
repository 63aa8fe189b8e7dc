"""How long an insert lasts whose wear land is measured: by what the lives before it still did from that width on.

Every plant's wear has a shape of its own: a break-in, a steady part, a quick end. It needs no formula where lines that
came to their end show it. For each of these lives, the moment is taken at which its land was as wide as this insert's
is now: the age `t` then, and the operations `r` that it still did. `log r` over `log t` is a straight line (what wears
at half the pace takes twice as long for the rest), and what it says at this insert's age, with the prediction interval
of a linear regression, is the answer (Student's t; Draper and Smith, Applied Regression Analysis (1998), chapter 3).
The limit at which inserts end is in it: it is where those lives ended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import t as student  # type: ignore[import-untyped]  # comes with scikit-learn

from db.learning.survival_curve import SurvivalCurve
from producer.runtime.arrays import Float64Array
from worker.lives.weibull import FEWEST, WeibullFit, curve_of

MEDIAN_OF: Final = 5
"""The newest so many widths whose median counts: a stray one does nothing."""
SMALLEST: Final = 3
"""Before so many widths nothing is said of how wide the land is."""

_SLOPE: Final = 1.0
"""The slope that is expected: all lives wear alike but for their pace."""
_SLOPE_WEIGHT: Final = 0.1
"""How much that counts, as the sum of squares of `log t` of the lives: those of five lives that differ little."""


@dataclass(frozen=True)
class WearLine:
    """How wide the land of one insert was at the least, `widths` in `unit`, rising, from these `ages` on."""

    ages: Sequence[float]
    widths: Sequence[float]
    unit: str

    @classmethod
    def of(cls, measured: Sequence[tuple[float, float]], unit: str) -> WearLine | None:
        """From age and width of each measurement, the oldest first; None where there are fewer than `SMALLEST`."""
        ages, widths = [], [-math.inf]
        for number in range(SMALLEST, len(measured) + 1):
            width = float(np.median([width for _, width in measured[max(0, number - MEDIAN_OF) : number]]))
            if width > widths[-1]:  # land does not grow back
                ages.append(measured[number - 1][0])
                widths.append(width)
        return cls(ages, widths[1:], unit) if ages else None

    def age_at(self, width: float) -> float | None:
        """The age at which the land was first so wide; None where it never was."""
        place = int(np.searchsorted(self.widths, width))
        return self.ages[place] if place < len(self.ages) else None


@dataclass(frozen=True)
class WornOut:
    """A life that wear ended, at the age `end`, and its line as long as it was intact."""

    line: WearLine
    end: float


@dataclass(frozen=True)
class RemainingByWear:
    """The operations that an insert still does, as a law: their logarithm is Student's t around `middle`."""

    middle: float
    width: float
    freedom: int

    def intact_after(self, operations: Float64Array) -> Float64Array:
        """The share of such inserts that wear has not ended after so many operations (n,) from now on."""
        share: Float64Array = student.sf((np.log(operations) - self.middle) / self.width, self.freedom)
        return share

    def curve(self, model: WeibullFit, age: float) -> SurvivalCurve:
        """The share that is intact after so many operations, of which some break before wear ends them."""
        return curve_of(
            lambda operations: self.intact_after(operations) * model.unbroken_after(age, operations),
            math.exp(self.middle),
        )


def remaining(worn_out: Sequence[WornOut], line: WearLine, age: float) -> RemainingByWear | None:
    """How long an insert of that age and line lasts; None where fewer than `FEWEST` lives came as far as it has.

    It has been as wide as it is for some operations: so have the lives before it that it is held against.
    """
    since = age - line.ages[-1]
    points = []
    for life in worn_out:
        if life.line.unit != line.unit or (reached := life.line.age_at(line.widths[-1])) is None:
            continue
        if life.end > reached + since:
            points.append((reached + since, life.end - reached - since))
    if len(points) < FEWEST or age <= 0 or min(at for at, _ in points) <= 0:
        return None
    ages, rests = np.log(np.array(points)).T
    count, apart = len(points), ages - ages.mean()
    squares = float((apart**2).sum()) + _SLOPE_WEIGHT
    slope = (float((apart * rests).sum()) + _SLOPE * _SLOPE_WEIGHT) / squares
    left = rests - rests.mean() - slope * apart
    variance = float((left**2).sum()) / (count - 2)
    here = math.log(age) - float(ages.mean())
    width = math.sqrt(variance * (1 + 1 / count + here**2 / squares))
    return RemainingByWear(float(rests.mean()) + slope * here, max(width, 1e-3), count - 2)
