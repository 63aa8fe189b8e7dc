"""Insert changes that people say, or take back, at the line itself, until the plant's other systems are told of them.

Each is written in the transaction of what it tells, and removed once it was said on the plant's stream. What another
system told is answered there at once (`db.people.told_insert_changes`), and is none of these.
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
    """Have it told that an insert was changed, or, where it is `withdrawn`, that it was not after all."""
    values: dict[str, Any] = {name: getattr(change, name) for name in ("machine", "head", "pocket", "by", "at")}
    values |= {"change_id": _id(change), "withdrawn": withdrawn}
    session.execute(insert(UntoldInsertChanges).values(values))


def untold(session: Session) -> list[InsertChangeAnswer]:
    """What is to be told now, in the order in which it was said."""
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
    """Remove what was told."""
    of_it = UntoldInsertChanges.change_id == answer.change_id, UntoldInsertChanges.withdrawn == answer.withdrawn
    session.execute(delete(UntoldInsertChanges).where(*of_it))


def _id(change: InsertChange) -> UUID:
    """The same for a change and for its withdrawal; a number alone may come again, of one that was taken back."""
    return uuid5(NAMESPACE_OID, f"insert change {change.id} of {change.at.isoformat()}")
