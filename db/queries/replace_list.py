"""The replace list: which inserts to change now, and which a person has just changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Select, TextClause, select, text, union_all
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line import insert_changes, late_labels
from db.line.damaged_pockets import damaged
from db.line.insert_changes import InsertChange, insert_changed_at
from db.line.rows import COLUMNS, current_verdict, on_machine
from db.queries.pocket_history import PocketRow
from db.schema.tables import Captures, Pockets, Verdicts
from producer.contract.places import PocketPlace


def to_replace(session: Session, machine: str | None = None, head: str | None = None) -> list[PocketRow]:
    """The inserts to change now, by machine, head and pocket.

    A pocket is in the list when its newest judged capture that shows the insert is `damaged`, by its newest review
    where there is one, else by its verdict (`db.line.pockets`); the photograph of the new insert takes it out once it
    is judged, or a person who says that it was changed (`db.line.insert_changes`). It is also there when a person said
    so of an older photograph after the newer ones had come (`db.line.late_labels`). What was imported is in no machine,
    so it is in the list only where its machine is asked for. The cost is that of the answer, and of what is still to
    be judged: a partial index holds just these pockets.
    """
    of_each: Select[Any] = select(*COLUMNS, Captures.review, insert_changed_at())
    queries = []
    for damage in damaged():
        query = of_each.select_from(damage).join(Captures, Captures.capture_id == damage.c.capture_id)
        query = query.where(on_machine(damage.c.machine, machine))
        queries.append(query if head is None else query.where(damage.c.head == head))
    if late := [label.capture_id for label in late_labels.in_force(session, machine, head)]:
        queries.append(of_each.select_from(Captures).where(Captures.capture_id.in_(late)))
    of_all = (row for one in queries for row in session.execute(one.outerjoin(Verdicts, current_verdict())))
    rows = {_place(row): row for row in (PocketRow(**row._mapping) for row in of_all)}
    return [rows[place] for place in sorted(rows)]


def places_to_replace(session: Session) -> list[PocketPlace]:
    """Where the inserts of `to_replace` are, for who asks for no more: a fraction of its cost."""
    places = {PocketPlace(*row) for row in _PLACES.execute(session.connection())}
    return sorted(places.union(label.place for label in late_labels.in_force(session)))


def _places(*_: object) -> CompoundSelect[Any]:
    columns = [damage.c for damage in damaged()]
    return union_all(*(select(of.machine, of.head, of.pocket).where(on_machine(of.machine, None)) for of in columns))


_PLACES: Final = Prepared(_places)


def just_changed(session: Session, machine: str | None = None, head: str | None = None) -> list[InsertChange]:
    """The inserts that a person changed since `to_replace` had them, and that no photograph shows yet, by place."""
    of_head = [] if head is None else [Pockets.head == head]
    was_there: list[ColumnElement[bool] | TextClause] = [text("pockets.damaged")]
    if late_labels.is_any(session):
        was_there.append(late_labels.is_withheld(Pockets))
    changes = [insert_changes.unseen(session, one, on_machine(Pockets.machine, machine), *of_head) for one in was_there]
    return sorted({change.id: change for of in changes for change in of}.values(), key=_changed)


def _place(of: PocketRow) -> PocketPlace:
    return PocketPlace(of.machine, of.head, of.pocket)


def _changed(of: InsertChange) -> tuple[PocketPlace, datetime]:
    return PocketPlace(of.machine, of.head, of.pocket), of.at
