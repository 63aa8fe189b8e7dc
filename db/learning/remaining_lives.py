"""How long the inserts that are in use last: kept here, fitted elsewhere, said in one sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exists, insert, select
from sqlalchemy.orm import Session

from db.learning.survival_curve import SurvivalCurve
from db.line.insert_changes import insert_changed_at, is_unseen
from db.line.insert_histories import SuspectedChange
from db.schema.tables import Captures, InsertChanges, LifeFits, Pockets, RemainingLives, SuspectedChanges


@dataclass(frozen=True)
class LifeFit:
    """What was fitted: of `followed` lives so many had `ended`, and `needed` must have before anything is said.

    `new` is the curve of a new insert anywhere in the plant, None while nothing is said; `gap` is the largest
    difference between the fitted share of intact inserts and the Kaplan–Meier estimate of it.
    """

    at: datetime
    followed: int
    ended: int
    needed: int
    new: SurvivalCurve | None = None
    gap: float | None = None

    @property
    def missing(self) -> int:
        """How many more lives must end before anything is said."""
        return max(0, self.needed - self.ended)


@dataclass(frozen=True)
class RemainingLife:
    """How long the insert in a pocket lasts, which has done `age` operations as far as `as_of`.

    `lives` have ended with the same head and operation; `new` is the curve of a new insert in its place.
    """

    machine: str
    head: str
    pocket: int
    age: int
    lives: int
    as_of: datetime
    curve: SurvivalCurve
    new: SurvivalCurve

    def at(self, age: int) -> RemainingLife | None:
        """The same insert, still intact at that age; None where it is younger, and so another one."""
        if age < self.age:
            return None
        return replace(self, age=age, curve=self.curve.after(age - self.age))

    @property
    def operations(self) -> int:
        """The operations that half of such inserts last."""
        return round(self.curve.median)

    @property
    def low(self) -> int:
        """The operations that 90 % of such inserts last."""
        return math.floor(self.curve.interval[0])

    @property
    def high(self) -> int:
        """The operations that 10 % of such inserts last."""
        return math.ceil(self.curve.interval[1])


def store(
    session: Session, fit: LifeFit, remaining: Sequence[RemainingLife], suspected: Sequence[SuspectedChange]
) -> None:
    """Keep what a fit came to, in the place of what the one before did."""
    for table in (RemainingLives, SuspectedChanges, LifeFits):
        session.execute(delete(table))
    values = {name: getattr(fit, name) for name in ("at", "followed", "ended", "needed", "gap")}
    session.execute(insert(LifeFits).values(**values, new=None if fit.new is None else list(fit.new.operations)))
    if remaining:
        session.execute(
            insert(RemainingLives),
            [
                vars(life) | {"curve": list(life.curve.operations), "new": list(life.new.operations)}
                for life in remaining
            ],
        )
    if suspected:
        session.execute(insert(SuspectedChanges), [vars(change) for change in suspected])


def fit_in_force(session: Session) -> LifeFit | None:
    """The fit that answers are of; None before the first one."""
    row = session.execute(
        select(LifeFits.at, LifeFits.followed, LifeFits.ended, LifeFits.needed, LifeFits.new, LifeFits.gap)
    ).first()
    if row is None:
        return None
    return LifeFit(*row[:4], None if row.new is None else SurvivalCurve(tuple(row.new)), row.gap)


def search(
    session: Session, machine: str | None = None, head: str | None = None, pocket: int | None = None
) -> list[RemainingLife]:
    """How long inserts last, by machine, head and pocket.

    An insert that has done more operations since the fit is answered for as one that has survived them, where the
    line counts them. One that was changed, or found damaged, has no answer.
    """
    names = ("machine", "head", "pocket", "age", "lives", "as_of", "curve", "new")
    columns = [getattr(RemainingLives, name) for name in names]
    query = (
        select(*columns, Captures.operations_on_edge, insert_changed_at())
        .join(Pockets, _same_place(RemainingLives, Pockets))
        .join(Captures, Captures.capture_id == Pockets.capture_id)
        .where(~Pockets.damaged, ~is_unseen())
        .order_by(RemainingLives.machine, RemainingLives.head, RemainingLives.pocket)
    )
    for column, value in ((RemainingLives.machine, machine), (RemainingLives.head, head)):
        if value is not None:
            query = query.where(column == value)
    if pocket is not None:
        query = query.where(RemainingLives.pocket == pocket)
    lives = (_now(row) for row in session.execute(query))
    return [life for life in lives if life is not None]


def of_head(session: Session, machine: str, head: str) -> dict[int, RemainingLife]:
    """How long the inserts of one head last, by pocket, as the fit in force said: nothing since then is looked at."""
    names = ("machine", "head", "pocket", "age", "lives", "as_of", "curve", "new")
    query = select(*(getattr(RemainingLives, name) for name in names))
    here = RemainingLives.machine == machine, RemainingLives.head == head
    return {row.pocket: _of(row) for row in session.execute(query.where(*here))}


def suspected(session: Session, machine: str | None = None, head: str | None = None) -> list[SuspectedChange]:
    """The changes to ask about, by machine, head and pocket, without those that a person has told of since."""
    names = SuspectedChange.__dataclass_fields__
    answered = exists().where(
        _same_place(InsertChanges, SuspectedChanges),
        InsertChanges.at > SuspectedChanges.after,
    )
    query = (
        select(*(getattr(SuspectedChanges, name) for name in names))
        .where(~answered)
        .order_by(SuspectedChanges.machine, SuspectedChanges.head, SuspectedChanges.pocket)
    )
    for column, value in ((SuspectedChanges.machine, machine), (SuspectedChanges.head, head)):
        if value is not None:
            query = query.where(column == value)
    return [SuspectedChange(*row) for row in session.execute(query)]


def not_lasting(lives: Sequence[RemainingLife], operations: int) -> list[RemainingLife]:
    """Those that are damaged within so many operations with a chance of 10 % or more, the likeliest first."""
    doubtful = [life for life in lives if life.curve.interval[0] <= operations]
    return sorted(doubtful, key=lambda life: life.curve.intact_after(operations))


def said(life: RemainingLife) -> str:
    """How long an insert lasts, in words."""
    lives = f"{life.lives} {'life' if life.lives == 1 else 'lives'} behind it"
    return f"{life.operations} ({life.low} … {life.high}) operations, 80 %, {lives}"


def _now(row: Row[*tuple[Any, ...]]) -> RemainingLife | None:
    if row.insert_changed_at is not None and row.insert_changed_at > row.as_of:
        return None
    life = _of(row)
    return life if row.operations_on_edge is None else life.at(row.operations_on_edge)


def _of(row: Row[*tuple[Any, ...]]) -> RemainingLife:
    curves = SurvivalCurve(tuple(row.curve)), SurvivalCurve(tuple(row.new))
    return RemainingLife(row.machine, row.head, row.pocket, row.age, row.lives, row.as_of, *curves)


def _same_place(one: Any, other: Any) -> Any:
    return (one.machine == other.machine) & (one.head == other.head) & (one.pocket == other.pocket)
