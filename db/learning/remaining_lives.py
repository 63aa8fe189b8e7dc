"""How long the inserts that are in use last: kept here, fitted elsewhere, said in one sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, exists, insert, select
from sqlalchemy.orm import Session, aliased

from db.learning.survival_curve import SurvivalCurve
from db.line.insert_histories import SuspectedChange
from db.line.pockets import DAMAGED, word_of
from db.schema.tables import Captures, InsertChanges, LifeFits, RemainingLives, SuspectedChanges
from producer.terminal.counts import counted

UNSEEN: Final = timedelta(days=7)
"""For so long a head may be away from the line, in a store or another machine, and is still answered for."""


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
    """How long the insert in a pocket lasts, which was seen intact last at `as_of`, after `age` operations.

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
    """How long inserts last from where each was last seen intact, by machine, head and pocket.

    An insert that was seen intact again since the fit is answered for as one that has survived the operations until
    then, where the line counts them: a photograph that tells nothing adds nothing. One that was changed, or seen
    damaged, since it was seen intact has no answer. Nor, unless its head is asked for, has one that was not seen for
    `UNSEEN` while others were: its head is gone, or has another name.
    """
    query = (
        select(*_COLUMNS, Captures.operations_on_edge, Captures.ordered_at)
        .join(Captures, Captures.capture_id == _NEWEST_INTACT)
        .where(*_STANDS)
        .order_by(RemainingLives.machine, RemainingLives.head, RemainingLives.pocket)
    )
    for column, value in ((RemainingLives.machine, machine), (RemainingLives.head, head)):
        if value is not None:
            query = query.where(column == value)
    if pocket is not None:
        query = query.where(RemainingLives.pocket == pocket)
    lives = [life for row in session.execute(query) if (life := _now(row)) is not None]
    last = max((life.as_of for life in lives), default=None)
    if last is None or head is not None:
        return lives
    return [life for life in lives if last - life.as_of <= UNSEEN]


def of_head(session: Session, machine: str, head: str) -> dict[int, RemainingLife]:
    """How long the inserts of one head last, by pocket, as the fit in force said, where it still holds."""
    here = RemainingLives.machine == machine, RemainingLives.head == head
    return {row.pocket: _of(row) for row in session.execute(select(*_COLUMNS).where(*here, *_STANDS))}


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


def in_words(life: RemainingLife) -> str:
    """How long an insert lasts, in words."""
    behind = f"{counted(life.lives, 'life', 'lives')} behind it"
    if not life.lives:
        behind = "by the lives of other heads or operations alone"
    return f"{life.operations} ({life.low} … {life.high}) operations, 80 %, {behind}"


def _now(row: Row[*tuple[Any, ...]]) -> RemainingLife | None:
    life = _of(row)
    if row.operations_on_edge is None:
        return life
    life_now = life.at(row.operations_on_edge)
    return None if life_now is None else replace(life_now, as_of=row.ordered_at)


def _of(row: Row[*tuple[Any, ...]]) -> RemainingLife:
    curves = SurvivalCurve(tuple(row.curve)), SurvivalCurve(tuple(row.new))
    return RemainingLife(row.machine, row.head, row.pocket, row.age, row.lives, row.as_of, *curves)


def _same_place(one: Any, other: Any) -> Any:
    return (one.machine == other.machine) & (one.head == other.head) & (one.pocket == other.pocket)


_COLUMNS = [
    getattr(RemainingLives, name) for name in ("machine", "head", "pocket", "age", "lives", "as_of", "curve", "new")
]
_SEEN = aliased(Captures)
_WORD = word_of(_SEEN)
_NEWEST_INTACT = (
    select(_SEEN.capture_id)
    .where(_same_place(_SEEN, RemainingLives), _SEEN.ordered_at >= RemainingLives.as_of, _WORD == "intact")
    .order_by(_SEEN.ordered_at.desc(), _SEEN.capture_id.desc())
    .limit(1)
    .correlate(RemainingLives)
    .scalar_subquery()
)
_STANDS = (
    ~exists().where(
        _same_place(_SEEN, RemainingLives),
        _SEEN.ordered_at > RemainingLives.as_of,
        _WORD.in_(DAMAGED),
    ),
    ~exists().where(_same_place(InsertChanges, RemainingLives), InsertChanges.at > RemainingLives.as_of),
)
"""Since the insert was seen intact it was neither seen damaged nor changed."""
