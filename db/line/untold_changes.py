"""Insert changes that people record or withdraw at the line itself, kept until the plant's other systems have them.

Each is written in the transaction of the change itself, and removed once it is on the plant's stream. A change that
another system reported is answered on that stream at once (`db.people.external_insert_changes`), and is not kept here.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.orm import Session

from db.line.insert_changes import InsertChange
from db.schema.tables import Captures, InsertChanges, ToldInsertChanges, UntoldInsertChanges
from producer.contract.plant_news import InsertChangeAnswer


def keep(session: Session, change: InsertChange, *, withdrawn: bool = False) -> None:
    """Queue the news that an insert was changed or, if `withdrawn`, that the change was withdrawn."""
    values: dict[str, Any] = {name: getattr(change, name) for name in ("machine", "head", "pocket", "by", "at")}
    values |= {"change_id": _id(change), "withdrawn": withdrawn}
    session.execute(insert(UntoldInsertChanges).values(values))


def untold(session: Session) -> list[InsertChangeAnswer]:
    """The news to be sent now, in the order in which it was recorded."""
    rows = session.scalars(select(UntoldInsertChanges).order_by(UntoldInsertChanges.number))
    return [_answer(row.change_id, row, withdrawn=row.withdrawn) for row in rows]


def sent_since(session: Session, moment: datetime) -> list[InsertChangeAnswer]:
    """The news of the changes since a moment that hold: it is as it was, and may not have been told yet.

    Of a change that was said with the new insert's first photograph there was none, nor is there of another system's.
    """
    place = ("machine", "head", "pocket")
    first = [getattr(Captures, name) == getattr(InsertChanges, name) for name in place]
    theirs = [getattr(ToldInsertChanges, name) == getattr(InsertChanges, name) for name in (*place, "at")]
    query = select(*(getattr(InsertChanges, field.name) for field in fields(InsertChange))).where(
        InsertChanges.at >= moment,
        ~exists().where(*first, Captures.ordered_at == InsertChanges.at),
        ~exists().where(*theirs),
    )
    changes = [InsertChange(*row) for row in session.execute(query.order_by(InsertChanges.id))]
    return [_answer(_id(change), change, withdrawn=False) for change in changes]


def remove(session: Session, answer: InsertChangeAnswer) -> None:
    """Remove the news that was sent."""
    of_it = UntoldInsertChanges.change_id == answer.change_id, UntoldInsertChanges.withdrawn == answer.withdrawn
    session.execute(delete(UntoldInsertChanges).where(*of_it))


def _answer(change_id: UUID, of: InsertChange | UntoldInsertChanges, *, withdrawn: bool) -> InsertChangeAnswer:
    return InsertChangeAnswer(
        change_id=change_id,
        machine=of.machine,
        head=of.head,
        pocket=of.pocket,
        by=of.by,
        via="",
        at=of.at,
        withdrawn=withdrawn,
    )


def _id(change: InsertChange) -> UUID:
    """The same for a change and for its withdrawal, and another one for a change that is recorded again."""
    return uuid5(NAMESPACE_OID, f"insert change {change.id} of {change.at.isoformat()}")
