"""Small pieces of SQL that several subjects share."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def insert(session: Session, table: type[DeclarativeBase]) -> Any:
    """An `INSERT` that knows `ON CONFLICT`, in the dialect of the session's engine.

    Typed loosely, because the two dialects have the same methods but no common class.
    """
    return _inserts(session.get_bind().dialect.name)(table)


def insert_into(dialect: str, table: type[DeclarativeBase]) -> Any:
    """The same for many rows at once, on the table itself: rows as dicts, no objects of SQLAlchemy's ORM."""
    return _inserts(dialect)(table.__table__)


def _inserts(dialect: str) -> Any:
    return sqlite.insert if dialect == "sqlite" else postgresql.insert
