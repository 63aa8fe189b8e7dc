"""The inserts of a head now: what each pocket shows, how many operations its insert has done, how many are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from db.engine.clock import BEFORE_ALL
from db.learning import remaining_lives
from db.learning.remaining_lives import RemainingLife
from db.line import insert_changes, late_labels, restores
from db.line.insert_changes import InsertChange
from db.line.late_labels import LateLabel
from db.line.rows import current_verdict
from db.queries.head_answer import HeadOverview
from db.queries.head_overview import overviews
from db.queries.pockets_now import PocketWord
from db.schema.tables import Captures, Pockets, Reviews, Verdicts
from producer.contract.names import IMPORTED


@dataclass(frozen=True)
class InsertNow:
    """The insert in a pocket.

    `word` is what the pocket shows, `missing` also where the head has worked since its insert was seen or changed, or
    may have: what was done after a backup that was restored is lost. `label` is the finer class of damage. `operations`
    are those that the insert had done at its newest photograph, `remaining` is how many it does after it was last seen
    intact. Each is None where it is not known: photographs of the previous insert say nothing about this one.
    """

    pocket: int
    word: PocketWord
    label: str | None = None
    designation: str | None = None
    operations: int | None = None
    remaining: RemainingLife | None = None


@dataclass(frozen=True)
class HeadNow:
    """A head and its inserts, one for each pocket from 1 on; `at` is the newest moment of this information."""

    machine: str
    head: str
    at: datetime
    inserts: Sequence[InsertNow]


def head_now(session: Session, machine: str, head: str, declared: int | None = None) -> HeadNow | None:
    """What is known of a head; None where it was never seen on the line.

    `declared` is how many pockets the head register gives it.
    """
    sizes = {} if declared is None else {head: declared}
    (overview,) = overviews(session, [(machine, head)], declared=sizes)
    if machine == IMPORTED or overview.last_at is None:
        return None
    here = Pockets.machine == machine, Pockets.head == head
    rows = {row.pocket: row for row in session.execute(_NEWEST.where(*here))}
    changes = {change.pocket: change for change in insert_changes.unseen(session, *here)}
    late = {label.pocket: label for label in late_labels.in_force(session, machine, head)}
    lives = {life.pocket: life for life in remaining_lives.search(session, machine, head)}
    moments = [overview.last_at, *(change.at for change in changes.values())]
    moments += [label.at for label in late.values()]
    moments += [row.judged_at for row in rows.values() if row.judged_at is not None]
    if lives and (fit := remaining_lives.fit_in_force(session)) is not None:
        moments.append(fit.at)
    reviewed_at = session.scalar(_REVIEWED_AT.where(*here))
    if reviewed_at is not None:
        moments.append(reviewed_at)
    inserts = [_insert(pocket, overview, rows, changes, late, lives) for pocket in range(1, overview.size + 1)]
    restored = restores.restored_at(session) or BEFORE_ALL
    for change in changes.values():
        if change.at < restored and change.pocket <= overview.size:
            inserts[change.pocket - 1] = InsertNow(change.pocket, "missing")
    return HeadNow(machine, head, max(moments), inserts)


_NEWEST: Any = (
    select(
        Pockets.pocket,
        Captures.ordered_at,
        Captures.insert_designation,
        Captures.operations_on_edge,
        func.coalesce(Captures.review, Verdicts.label).label("label"),
        Verdicts.judged_at,
    )
    .select_from(Pockets)
    .join(Captures, Captures.capture_id == Pockets.capture_id)
    .outerjoin(Verdicts, current_verdict())
)
_REVIEWED_AT = select(func.max(Reviews.at)).select_from(Pockets).join(Reviews, Reviews.capture_id == Pockets.capture_id)


def _insert(
    pocket: int,
    overview: HeadOverview,
    rows: Mapping[int, Row[Any]],
    changes: Mapping[int, InsertChange],
    late: Mapping[int, LateLabel],
    lives: Mapping[int, RemainingLife],
) -> InsertNow:
    word, row, life = _word(pocket, overview, changes.get(pocket)), rows.get(pocket), lives.get(pocket)
    if row is None or pocket in changes:
        return InsertNow(pocket, word, operations=0 if word == "new" else None)
    if word == "missing":  # it has done more than its newest photograph tells
        return InsertNow(pocket, word, designation=row.insert_designation)
    operations = row.operations_on_edge
    # Where the line does not count, the fit did: as far as the insert was seen intact.
    if operations is None and life is not None and life.as_of == row.ordered_at:
        operations = life.age
    remaining = life if operations is not None else None
    label = (late[pocket].label if pocket in late else row.label) if word == "damaged" else None
    return InsertNow(pocket, word, label, row.insert_designation, operations, remaining)


def _word(pocket: int, overview: HeadOverview, change: InsertChange | None) -> PocketWord:
    """What a pocket shows, and nothing where the head has worked since its insert was changed."""
    if change is not None and overview.operations and overview.operations[0].check.started_at > change.at:
        return "missing"
    word = overview.words.get(pocket, "empty")
    return "pending" if word == "intact" and pocket in overview.awaited else word
