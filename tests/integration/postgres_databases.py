"""The databases of tests on one PostgreSQL server: each with a name that no test has had before.

To make one copies nine hundred files. So one that a test has left is emptied and renamed for the next, unless something
else than its rows has changed: then it is dropped.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

TEMPLATE = "migrated"
"""A database with all tables, which nobody is connected to."""

GROWN = 4_000_000
"""More bytes of tables and indexes than that are not kept: rows that were deleted are still in them."""

_ALL_BUT_ROWS = """
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT concat('class', oid, '.', xmin, '.', relfilenode, '.', reltuples) AS part FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat('column', attrelid, '.', attnum, '.', a.xmin) FROM pg_attribute a
        JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat('default', oid, '.', xmin) FROM pg_attrdef
    UNION ALL SELECT concat('constraint', oid, '.', xmin) FROM pg_constraint
    UNION ALL SELECT concat('trigger', oid, '.', xmin) FROM pg_trigger
    UNION ALL SELECT concat('function', oid, '.', xmin) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat('schema', nspname, '.', xmin) FROM pg_namespace
    UNION ALL SELECT concat('privileges', oid, '.', xmin) FROM pg_default_acl
    UNION ALL SELECT concat('extension', extname) FROM pg_extension
    UNION ALL SELECT concat('rights', datacl) FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT concat('setting', setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL SELECT concat('version', version_num) FROM alembic_version
) AS parts
"""
"""What tells a database that was made like the template from one in which more than rows has changed."""

_SIZE = "SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


def connected(folder: Path, name: str = "postgres") -> psycopg.Connection:
    """As the superuser; `folder` is that of the server's socket."""
    return psycopg.connect(host=str(folder), user="postgres", dbname=name, autocommit=True)


def url(folder: Path, name: str) -> str:
    return f"postgresql+psycopg://postgres@/{name}?host={folder}"


@contextmanager
def own_database(folder: Path, template: str) -> Iterator[str]:
    """The URL of a new database, which is dropped afterwards."""
    name = _made(folder, template)
    yield url(folder, name)
    _drop(folder, name)


class MigratedDatabases:
    """Empty databases with all tables, for one process of tests."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._idle: list[str] = []
        self._as_made: tuple[object, ...] | None = None
        self._emptying = sql.SQL("")
        self._administering: psycopg.Connection | None = None

    @contextmanager
    def one(self) -> Iterator[str]:
        """The URL of one, for as long as the block."""
        name = self._idle.pop() if self._idle else _made(self._folder, TEMPLATE)
        if self._as_made is None:
            self._look_at(name)
        yield url(self._folder, name)
        # By its new name nobody can reach it who still knows the old one.
        if (renamed := self._renamed(name)) is None:
            _drop(self._folder, name)
        elif self._emptied(renamed):
            self._idle.append(renamed)
        else:
            _drop(self._folder, renamed)

    def _look_at(self, name: str) -> None:
        with connected(self._folder, name) as connection:
            self._as_made = connection.execute(_ALL_BUT_ROWS).fetchone()
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
            deleted = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for (table,) in tables]
        anew = sql.SQL("SELECT setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences")
        # Without its foreign keys and triggers, in any order.
        self._emptying = sql.SQL(";").join([sql.SQL("SET session_replication_role = replica"), *deleted, anew])

    def _renamed(self, name: str) -> str | None:
        new = _new_name()
        if self._administering is None or self._administering.closed:
            self._administering = connected(self._folder)
        with suppress(psycopg.Error):  # dropped, or connected to once more
            self._administering.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            self._administering.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new))
            )
            return new
        return None

    def _emptied(self, name: str) -> bool:
        """Whether it is as it was made now."""
        with suppress(psycopg.Error), connected(self._folder, name) as connection:
            if connection.execute(_ALL_BUT_ROWS).fetchone() != self._as_made:
                return False
            size = connection.execute(_SIZE).fetchone()
            if size is None or size[0] > GROWN:
                return False
            connection.execute(self._emptying)
            return True
        return False


def _new_name() -> str:
    return f"test_{uuid.uuid4().hex}"


def _made(folder: Path, template: str) -> str:
    name = _new_name()
    with connected(folder) as connection:
        # To copy the files takes a sixth of what it takes to write each page into the log.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    return name


def _drop(folder: Path, name: str) -> None:
    with connected(folder) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
