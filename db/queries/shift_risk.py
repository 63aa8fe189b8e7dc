"""Whether inserts last a shift, as rows: their remaining life, the risk, and what changing costs now and later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from db.learning.change_cost import ChangeCosts, now_or_later
from db.learning.remaining_lives import RemainingLife, not_lasting
from producer.contract.places import HeadPlace


@dataclass(frozen=True)
class ShiftRisk:
    """An insert's remaining life, and its risk within a shift.

    It was last seen intact at `as_of`, after `age` operations, and what is said counts from there.
    `operations` is the median, `low` and `high` bound the interval in which 80 % end, `lives` have ended behind it.
    `risk` is the chance that it is damaged within the shift, `cost_now` and `cost_later` what changing it before that
    and leaving it in cost, in planned changes; None without a shift.
    """

    machine: str
    head: str
    pocket: int
    age: int
    as_of: datetime
    operations: int
    low: int
    high: int
    lives: int
    risk: float | None = None
    cost_now: float | None = None
    cost_later: float | None = None


def shift_risk(life: RemainingLife, shift: int | None, costs: ChangeCosts) -> ShiftRisk:
    """The row of an insert, with a shift of so many operations or none."""
    names = ("machine", "head", "pocket", "age", "as_of", "operations", "low", "high", "lives")
    row = {name: getattr(life, name) for name in names}
    if shift is None:
        return ShiftRisk(**row)
    now, later = now_or_later(life.curve, life.new, shift, costs)
    risk = 1 - life.curve.intact_after(shift)
    return ShiftRisk(**row, risk=risk, cost_now=now / costs.planned, cost_later=later / costs.planned)


def not_lasting_again(
    lives: Iterable[RemainingLife], operations: Mapping[HeadPlace, int], costs: ChangeCosts
) -> list[ShiftRisk]:
    """Those that may not last as many operations as their head did, given by machine and head; the likeliest first."""
    of_head: dict[HeadPlace, list[RemainingLife]] = {}
    for life in lives:
        of_head.setdefault((life.machine, life.head), []).append(life)
    rows = [
        shift_risk(life, operations[head], costs)
        for head, its in of_head.items()
        if head in operations
        for life in not_lasting(its, operations[head])
    ]
    return sorted(rows, key=lambda row: -(row.risk or 0.0))


def shift_risks(lives: Sequence[RemainingLife], shift: int | None, costs: ChangeCosts) -> list[ShiftRisk]:
    """The rows of all, or of those that may not last a shift of so many operations, the likeliest first."""
    chosen = lives if shift is None else not_lasting(lives, shift)
    return [shift_risk(life, shift, costs) for life in chosen]
