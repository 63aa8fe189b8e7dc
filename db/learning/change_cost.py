"""What it costs to change an insert now, between two shifts, against leaving it in: age replacement.

Barlow and Proschan, Mathematical Theory of Reliability (1965), chapter 4: an insert that is changed at the age `c`, or
when it is damaged before, costs `(planned S(c) + damaged (1 − S(c))) / ∫ S` an operation in the long run. The best `c`
gives the least cost of an operation; whoever changes an insert early pays that for every operation that it would still
have done, whoever leaves it in pays the dearer change where it is damaged meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from db.learning.survival_curve import SurvivalCurve, ages


@dataclass(frozen=True)
class ChangeCosts:
    """What a change between two shifts costs, and one when an insert is found damaged, with all that goes with it.

    Only the ratio counts.

    Raises:
        ValueError: one is not above 0, or the planned change is the dearer one.
    """

    planned: float
    damaged: float

    def __post_init__(self) -> None:
        """Check the two."""
        if not 0 < self.planned <= self.damaged:
            raise ValueError(
                f"a planned change ({self.planned:g}) costs more than 0 and no more than one when an insert is found "
                f"damaged ({self.damaged:g})"
            )


def best_age(new: SurvivalCurve, costs: ChangeCosts) -> tuple[float, float]:
    """The age at which changing costs least, and what an operation costs then; `new` is the curve of a new insert.

    The age is that at which 1 % are left where leaving an insert in until it is damaged costs no more.
    """
    best, before, done = (0.0, float("inf")), 0.0, 0.0
    for age in ages(new):
        # The operations done on average, by Simpson's rule from one age to the next.
        middle = (before + age) / 2
        done += (
            (age - before)
            / 6
            * sum(weight * new.intact_after(at) for weight, at in ((1, before), (4, middle), (1, age)))
        )
        intact = new.intact_after(age)
        rate = (costs.planned * intact + costs.damaged * (1 - intact)) / done
        if rate < best[1]:
            best = age, rate
        before = age
    return best


def now_or_later(
    curve: SurvivalCurve, new: SurvivalCurve, operations: float, costs: ChangeCosts
) -> tuple[float, float]:
    """What it costs to change an insert before the next `operations`, and what to leave it in for them.

    `curve` is that of the insert, `new` that of a new one in its place.
    """
    _, an_operation = best_age(new, costs)
    risk = 1 - curve.intact_after(operations)
    return an_operation * curve.mean_within(operations), (costs.damaged - costs.planned) * risk
