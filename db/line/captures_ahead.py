"""The photographs that lay in the future when somebody looked, by a clock that has been set back since.

It is unknown when they were taken, even once that time has come: they say nothing about now. Worker and console look
every few seconds, each by its own clock, and note them here for all. So does what is placed behind one that arrived
later than now (`db.line.captures`): it may be the newer one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, bindparam, exists, select
from sqlalchemy.orm import Session

from db.engine import clock
from db.engine.database import Database
from db.engine.prepared import Prepared, inserted
from db.line.capture_order import TOLERANCE
from db.line.pockets import here
from db.schema.tables import Captures, CapturesAhead, Pockets

_UNTIL: Final[Any] = bindparam("until", type_=Captures.ordered_at.type)
IS_AHEAD: Final[ColumnElement[bool]] = (Captures.ordered_at > _UNTIL) & (Captures.received_at > _UNTIL)
"""Whether a photograph is still to come: by its station's clock and by its worker's. The moment is `until`."""

WAS_AHEAD: Final[ColumnElement[bool]] = (
    exists().where(CapturesAhead.capture_id == Captures.capture_id).correlate(Captures)
)
"""Whether it was at an earlier look."""

# The order has an index; the newest of their pockets are no more than the plant has pockets.
_NEW: Final = Prepared(
    lambda *_: (
        select(Captures.capture_id)
        .join(
            Pockets,
            here(Captures) & (Pockets.capture_id == Captures.capture_id),
        )
        .where(IS_AHEAD, ~WAS_AHEAD)
    )
)

_NOTE: Final = Prepared(
    lambda dialect, rows: inserted(dialect, CapturesAhead, ("capture_id",), rows).on_conflict_do_nothing()
)


def unnoted(session: Session) -> list[UUID]:
    """Those that lie ahead now, that a board would show, and that nobody has noted."""
    until = clock.latest(session) + TOLERANCE
    return [capture_id for (capture_id,) in _NEW.execute(session.connection(), until=until)]


def note(database: Database, capture_ids: Collection[UUID]) -> None:
    """Note that these lay ahead, for good; others may do so at the same moment.

    Raises:
        DatabaseUnavailable: the database is away.
    """
    if capture_ids:
        with database.transaction() as session:
            note_in(session.connection(), capture_ids)


def note_in(connection: Connection, capture_ids: Collection[UUID]) -> None:
    """The same in a transaction that has written nothing yet."""
    if capture_ids:
        _NOTE.execute(connection, [{"capture_id": capture_id} for capture_id in sorted(capture_ids)])
