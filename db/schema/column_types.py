"""What all tables share: their base, and the types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase


def aware(moment: datetime) -> datetime:
    """The same moment.

    Raises:
        ValueError: it is naive.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs its offset from UTC; {moment.isoformat()} has none")
    return moment


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: refuses naive datetimes, and returns aware ones in UTC on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into UTC (SQLite keeps text, so without the offset: it sorts as it should).

        Raises:
            ValueError: the datetime is naive.
        """
        if value is None:
            return None
        value = aware(value).astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give a stored moment back as an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


ROW_ID: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database gives each row. SQLite counts by itself only where the key is exactly INTEGER, which has
64 bits there."""

LONG_AGO: Final = "1970-01-01 00:00:00.000000"
"""The value of a column that was added later, until the migration has filled it."""

PLAIN_JSON: Final = JSON(none_as_null=True)
"""JSON in which no value is SQL's null."""


def one_of(column: str, values: tuple[str, ...]) -> str:
    """The condition that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def index_where(name: str, columns: tuple[str, ...], condition: str, *, unique: bool = False) -> Index:
    """An index over the rows that meet a condition, which is spelled the same on both engines."""
    where = text(condition)
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can name it too."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), uuid.UUID: Uuid()}  # noqa: RUF012 - as SQLAlchemy wants it
