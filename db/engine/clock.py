"""What time it is, for all who use one database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

TICK: Final = timedelta(microseconds=1)
"""The smallest difference that both databases keep."""

BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)
AFTER_ALL: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Moments before and after all that a line has."""


def of_database(session: Session) -> datetime:
    """The database's clock; that of SQLite is this process's."""
    if session.connection().dialect.name == "postgresql":
        return session.execute(select(func.clock_timestamp())).scalar_one().astimezone(UTC)  # type: ignore[no-any-return]
    return datetime.now(UTC)


def latest(session: Session) -> datetime:
    """The later of the database's clock and this computer's: one may be behind, as after a pause of its machine."""
    return max(of_database(session), datetime.now(UTC))
