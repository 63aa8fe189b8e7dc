"""Inserts many rows into a database at once, as fast as each engine can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection


def write(connection: Connection, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> int:
    """Insert rows and return how many there were; ids and times are text, as both engines take it."""
    names = ", ".join(columns)
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in columns)
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our names
    else:
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    return len(rows)


_INDEXES = {
    # Those of unique constraints have no statement of their own.
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid",
    "postgresql": "SELECT relname, pg_get_indexdef(oid) FROM pg_class WHERE relkind = 'i' "
    "AND relnamespace = current_schema()::regnamespace "
    "AND oid NOT IN (SELECT conindid FROM pg_constraint) ORDER BY oid",
}


@contextmanager
def quickly(connection: Connection) -> Iterator[None]:
    """Write without secondary indexes, which are made again at the end, and without looking references up.

    The indexes are made by what the database itself says of them, in the order in which the migrations made them: where
    two would do, SQLite takes the later one. On PostgreSQL only a superuser may leave the references out. After an
    error the database has no use.
    """
    name = connection.dialect.name
    with connection.begin():
        indexes = connection.exec_driver_sql(_INDEXES[name]).all()
        for index, _ in indexes:
            connection.exec_driver_sql(f"DROP INDEX {index}")
        if name == "postgresql":  # on SQLite whoever makes the engine says so
            connection.exec_driver_sql("SET session_replication_role = replica")
            connection.exec_driver_sql("SET maintenance_work_mem = '1GB'")
    yield
    for _, statement in indexes:
        with connection.begin():
            connection.exec_driver_sql(statement)
