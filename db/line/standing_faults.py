"""Which faults speak against their check, in queries about faults."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, func, or_, select

from db.schema.column_words import STANDING_FAULTS
from db.schema.tables import Captures, Faults

# Not the column itself: by its index SQLite, which has no statistics, would read all faults.
_STATE: Final = func.coalesce(Faults.state, "")

IS_OF_CAPTURE: Final[ColumnElement[bool]] = (
    select(Captures.capture_id)
    .where(Captures.capture_id == Faults.capture_id)
    .where(Captures.pocket == func.coalesce(Faults.pocket, Captures.pocket))
    .where(Captures.check_id == func.coalesce(Faults.check_id, Captures.check_id))
    .correlate(Faults)
    .exists()
)
"""Its photograph is known: an event that could not be used may have had the id of another one."""

STANDS: Final[ColumnElement[bool]] = or_(_STATE.in_(STANDING_FAULTS), (_STATE == "requeued") & ~IS_OF_CAPTURE)
"""Nothing will judge its photograph, or nothing has taken it up yet: its pocket was not seen.

A photograph that is known and was requeued waits for its verdict, and so does its check.
"""
