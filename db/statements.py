"""Small pieces of SQL that several subjects share."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def insert(session: Session, table: type[DeclarativeBase]) -> Any:
    """An ``INSERT`` that knows ``ON CONFLICT``, in the dialect of the session's engine.

    Typed loosely, because the two dialects have the same methods but no common class.
    """
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
