"""Insert changes that other systems report by the connector: each is written once, by its id, like a person's."""

from __future__ import annotations

from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.people import audited_insert_changes
from db.schema.column_types import fitting
from db.schema.tables import ToldInsertChanges
from producer.contract.insert_change import KeptChange
from producer.contract.plant_news import InsertChangeAnswer


def take(session: Session, kept: KeptChange) -> InsertChangeAnswer:
    """Write a change and its result; for a change that is already written, return the result again.

    An impossible change, for example of an unknown pocket, is refused for good: to try again it needs another id.
    """
    change = kept.change
    values = change.model_dump(include={"change_id", "machine", "head", "pocket", "first", "by"})
    # Another worker that takes the same one waits here for this transaction's end.
    new = insert(session, ToldInsertChanges).values(**values, via=kept.via, said_at=kept.said_at)
    is_new = session.execute(new.on_conflict_do_nothing().returning(ToldInsertChanges.change_id)).first() is not None
    row = session.get_one(ToldInsertChanges, change.change_id)
    if is_new:
        _write(session, kept, row)
    elif any(getattr(row, name) != value for name, value in values.items()):
        return _answer(kept, ToldInsertChanges(refused="another change has this change_id: each needs one of its own"))
    return _answer(kept, row)


def _write(session: Session, kept: KeptChange, row: ToldInsertChanges) -> None:
    change = kept.change
    try:
        known, _ = audited_insert_changes.record(
            session,
            change.machine,
            change.head,
            change.pocket,
            by=change.by,
            at=kept.said_at,
            first=change.first,
            late=True,
            signed=fitting(f"{change.by} ({kept.via})", 120),
            change=str(change.change_id),
        )
    except LookupError as error:
        row.refused = str(error)
    else:
        row.at = known.at


def _answer(kept: KeptChange, row: ToldInsertChanges) -> InsertChangeAnswer:
    change = kept.change
    return InsertChangeAnswer(
        change_id=change.change_id,
        machine=change.machine,
        head=change.head,
        pocket=change.pocket,
        by=change.by,
        via=kept.via,
        at=row.at,
        refused=row.refused,
    )
