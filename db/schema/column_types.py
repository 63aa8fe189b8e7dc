"""What all tables share: their base, and the types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Final

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


def fitting(text: str, length: int) -> str:
    """Text from outside in a form that both databases store: at most `length` characters, odd ones written out.

    PostgreSQL cannot store NUL, and neither engine can store half a surrogate pair.
    """
    safe = text[:length].replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
    return safe if len(safe) <= length else safe[: length - 1] + "…"


def aware(moment: datetime) -> datetime:
    """The same moment.

    Raises:
        ValueError: it is naive.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs its offset from UTC; {moment.isoformat()} has none")
    return moment


LONG_AGO: Final = "1970-01-01 00:00:00.000000"
"""The value of a column that was added later, until the migration has filled it."""

_WITHOUT_OFFSET: Final = len(LONG_AGO)


def _sqlite_text(moment: datetime | None) -> str | None:
    """As SQLite keeps a moment: without the offset, so that it sorts as it should."""
    if moment is None:
        return None
    utc = moment if moment.tzinfo is UTC else aware(moment).astimezone(UTC)
    return utc.isoformat(" ", "microseconds")[:_WITHOUT_OFFSET]


def _of_sqlite_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: refuses naive datetimes, and returns aware ones in UTC on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """How moments go in. To SQLite in one step: a capture has a dozen."""
        return _sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        """How moments come out."""
        return _of_sqlite_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Turn an aware moment into UTC.

        Raises:
            ValueError: the datetime is naive.
        """
        return None if value is None else aware(value).astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give a stored moment back as an aware datetime in UTC."""
        return None if value is None else value.astimezone(UTC)


ROW_ID: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database gives each row. SQLite counts by itself only where the key is exactly INTEGER, which has
64 bits there."""

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
