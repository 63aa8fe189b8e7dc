"""The looks at each insert of the line, from one change to the next, and changes that seem unrecorded.

A change is recorded by a person or reported by the line (`db.line.insert_lives`). If no change is recorded, but intact
verdicts with a much lower score follow a damaged verdict (one is enough), either the insert was changed or the model
was wrong. That is a question for a person. Until it is answered, nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from statistics import median
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.line.insert_changes import insert_changed_at
from db.line.insert_lives import PocketPhoto, insert_keys
from db.line.rows import Wear, current_verdict, on_machine
from db.schema.tables import Captures, InsertChanges, Verdicts
from producer.contract.vocabulary import DECIDED, outcome_now

MOST_PHOTOGRAPHS: Final = 500_000
"""How many photographs are read at most: the line's newest."""

INTACT_RUN: Final = 3
"""After a damaged look, this many intact looks in a row raise the question; fewer are too few to ask."""
JUMP: Final = 0.5
"""How far the probability of damage must have fallen, from the median of one run to that of the other."""


@dataclass(frozen=True)
class InsertLook:
    """One photograph of an insert: `outcome` and `label` are those of its newest review, else of its verdict.

    `age` is how many operations the insert had done, None if unknown. `probability` is that of damage; a review makes
    it 0 or 1. `wear` is how wide its wear land was, None where none was measured.
    """

    capture_id: UUID
    at: datetime
    operation: str
    age: int | None
    outcome: str | None
    label: str | None
    probability: float | None
    wear: Wear | None = None


@dataclass(frozen=True)
class InsertHistory:
    """The looks at one insert, the oldest first; none while it may have been two inserts and no person has answered.

    `is_from_new`: the pocket showed another insert before, or the line counts at most one operation: this one was new
    at its first look. `is_in_use`: it is in its pocket for all that is known; for intact looks after a damaged one that
    is unknown. `suspected` is a change that is not recorded.
    """

    machine: str
    head: str
    pocket: int
    looks: Sequence[InsertLook]
    is_from_new: bool
    is_in_use: bool
    suspected: SuspectedChange | None = None


@dataclass(frozen=True)
class SuspectedChange:
    """An insert that seems to have been changed: `damaged` looks in a row up to `after`, and `intact` ones since.

    `first` is the first of these photographs, taken at `at`.
    """

    machine: str
    head: str
    pocket: int
    first: UUID
    after: datetime
    at: datetime
    damaged: int
    intact: int


def histories(session: Session) -> Iterator[InsertHistory]:
    """The inserts of the line, by machine, head, pocket and time: of the newest `MOST_PHOTOGRAPHS` photographs."""
    since = session.scalar(
        select(Captures.ordered_at)
        .where(on_machine(Captures.machine, None))
        .order_by(Captures.ordered_at.desc(), Captures.capture_id.desc())
        .offset(MOST_PHOTOGRAPHS)
        .limit(1)
    )
    place = (InsertChanges.machine, InsertChanges.head, InsertChanges.pocket)
    newest = select(*place, func.max(InsertChanges.at)).group_by(*place)
    changed = {(machine, head, pocket): at for machine, head, pocket, at in session.execute(newest)}
    for of_pocket, rows in groupby(_rows(session, since), lambda row: (row.machine, row.head, row.pocket)):
        yield from of_one_pocket(*of_pocket, list(rows), changed.get(of_pocket))


def _rows(session: Session, since: datetime | None) -> Iterable[Any]:
    query = (
        select(
            *(getattr(Captures, name) for name in ("capture_id", "machine", "head", "pocket", "insert_designation")),
            *(getattr(Captures, name) for name in ("edge", "operations_on_edge", "ordered_at", "operation", "review")),
            *(Captures.check_id, Captures.check_size),
            Captures.outcome,
            Verdicts.label,
            Verdicts.probability,
            *(getattr(Verdicts, name) for name in ("wear_mean", "wear_max", "pixels_per_mm")),
            insert_changed_at(),
        )
        .outerjoin(Verdicts, current_verdict())
        .where(on_machine(Captures.machine, None))
        .order_by(Captures.machine, Captures.head, Captures.pocket, Captures.ordered_at, Captures.capture_id)
        .execution_options(yield_per=5_000)
    )
    return session.execute(query if since is None else query.where(Captures.ordered_at >= since))


def of_one_pocket(
    machine: str, head: str, pocket: int, rows: Sequence[Any], changed_at: datetime | None
) -> Iterator[InsertHistory]:
    """The inserts of one pocket, from its photographs in their order and the last change that a person recorded."""
    of_inserts = _of_inserts(rows, changed_at)
    for number, of_insert in enumerate(of_inserts):
        if not of_insert:
            continue
        first = of_insert[0]
        # A change is told of a pocket that was photographed before. Of the first insert that is known here those are
        # gone, or too many, and so may its own first ones be, except where the change names the photograph.
        is_from_new = number > 0 or first.insert_changed_at == first.ordered_at or first.operations_on_edge in (0, 1)
        looks = list(_looks(of_insert, is_from_new))
        is_last = number == len(of_inserts) - 1
        jump = _jump(looks)
        if jump is None:
            yield InsertHistory(machine, head, pocket, looks, is_from_new, is_last and not _is_back(looks))
            continue
        begun, ended = jump
        suspected = SuspectedChange(
            machine,
            head,
            pocket,
            first=looks[ended].capture_id,
            after=looks[ended - 1].at,
            at=looks[ended].at,
            damaged=sum(look.outcome == "damaged" for look in looks[begun:ended]),
            intact=sum(look.outcome == "intact" for look in looks[ended:]),
        )
        yield InsertHistory(machine, head, pocket, (), is_from_new, False, suspected if is_last else None)


def _of_inserts(rows: Sequence[Any], changed_at: datetime | None) -> list[list[Any]]:
    """The photographs of each insert; none of one that a person changed since the last photograph.

    A change may be told late, when the new insert has been photographed: what is intact behind damage is of the new one
    then, unless the change names its first photograph or the line counts operations.
    """
    keys = dict(insert_keys((PocketPhoto.of(row) for row in rows), only_stated=True))
    of_inserts = [list(of) for _, of in groupby(rows, lambda row: keys[row.capture_id])]
    if changed_at is not None and changed_at > rows[-1].ordered_at:
        of_inserts.append([])
    for of_insert, of_next in pairwise(of_inserts):
        looks = list(_looks(of_insert, is_from_new=False))
        told_at = of_next[0].insert_changed_at if of_next else changed_at
        is_told = told_at not in (of_insert[-1].insert_changed_at, *(row.ordered_at for row in of_next[:1]))
        if is_told and _is_back(looks) and all(row.operations_on_edge is None for row in of_insert):
            first = _runs(looks)[-1][1][0]
            of_next[:0] = of_insert[first:]
            del of_insert[first:]
    return of_inserts


def _looks(rows: Sequence[Any], is_from_new: bool) -> Iterator[InsertLook]:
    """The looks at one insert, with its age: as the line counts it, else by the operations since it was new."""
    age, before = (0 if is_from_new else None), None
    for row in rows:
        is_next = before is None or _is_after_another_operation(before, row)
        if row.operations_on_edge is not None:
            age = row.operations_on_edge
        elif age is not None and is_next:
            age += 1
        before = row if is_next else before
        outcome = outcome_now(row.review, row.outcome)
        sure = {"intact": 0.0, "damaged": 1.0}.get(outcome or "") if row.review else None
        yield InsertLook(
            row.capture_id,
            row.ordered_at,
            row.operation,
            age,
            outcome,
            row.review or row.label,
            row.probability if sure is None else sure,
            Wear.of(row.wear_mean, row.wear_max, row.pixels_per_mm),
        )


def _is_after_another_operation(before: Any, row: Any) -> bool:
    """Whether a photograph is of an operation after that of `before`, the first of its own.

    Each check is one, whatever the operation is called, but for one capture by itself: under the name of the check of
    the whole head before, it looks once more.
    """
    if row.check_id == before.check_id:
        return False
    return row.operation != before.operation or not row.check_size == 1 < before.check_size


def _runs(looks: Sequence[InsertLook]) -> list[tuple[str | None, list[int]]]:
    """The outcomes of runs of looks, with the looks' numbers: what is neither, as an unsure verdict, ends no run."""
    sure = ((number, look) for number, look in enumerate(looks) if look.outcome in DECIDED)
    return [(outcome, [number for number, _ in of]) for outcome, of in groupby(sure, lambda it: it[1].outcome)]


def _is_back(looks: Sequence[InsertLook]) -> bool:
    """Whether intact looks follow a damaged one, but too few yet to ask."""
    *before, (_, last) = _runs(looks) or [(None, [])]
    return bool(before) and looks[last[0]].outcome == "intact" and len(last) < INTACT_RUN


def _jump(looks: Sequence[InsertLook]) -> tuple[int, int] | None:
    """Where a run of damaged looks begins and where the intact ones after it do; None where there is no such jump."""
    for (outcome, damaged), (_, intact) in pairwise(_runs(looks)):
        if outcome != "damaged" or len(intact) < INTACT_RUN:
            continue
        high, low = ([looks[at].probability for at in run] for run in (damaged, intact))
        known_high, known_low = ([value for value in values if value is not None] for values in (high, low))
        if known_high and known_low and median(known_high) - median(known_low) >= JUMP:
            return damaged[0], intact[0]
    return None
