"""Insert changes that people record or withdraw at the line itself, kept until the plant's other systems have them.

Each is written in the transaction of the change itself, and removed once it is on the plant's stream. A change that
another system reported is answered on that stream at once (`db.people.external_insert_changes`), and is not kept here.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from db.line.insert_changes import InsertChange
from db.schema.tables import UntoldInsertChanges
from producer.contract.plant_news import InsertChangeAnswer


def keep(session: Session, change: InsertChange, *, withdrawn: bool = False) -> None:
    """Queue the news that an insert was changed or, if `withdrawn`, that the change was withdrawn."""
    values: dict[str, Any] = {name: getattr(change, name) for name in ("machine", "head", "pocket", "by", "at")}
    values |= {"change_id": _id(change), "withdrawn": withdrawn}
    session.execute(insert(UntoldInsertChanges).values(values))


def untold(session: Session) -> list[InsertChangeAnswer]:
    """The news to be sent now, in the order in which it was recorded."""
    return [
        InsertChangeAnswer(
            change_id=row.change_id,
            machine=row.machine,
            head=row.head,
            pocket=row.pocket,
            by=row.by,
            via="",
            at=row.at,
            withdrawn=row.withdrawn,
        )
        for row in session.scalars(select(UntoldInsertChanges).order_by(UntoldInsertChanges.number))
    ]


def remove(session: Session, answer: InsertChangeAnswer) -> None:
    """Remove the news that was sent."""
    of_it = UntoldInsertChanges.change_id == answer.change_id, UntoldInsertChanges.withdrawn == answer.withdrawn
    session.execute(delete(UntoldInsertChanges).where(*of_it))


def _id(change: InsertChange) -> UUID:
    """The same for a change and for its withdrawal; a number alone may come again, of one that was taken back."""
    return uuid5(NAMESPACE_OID, f"insert change {change.id} of {change.at.isoformat()}")
