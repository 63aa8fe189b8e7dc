"""The disk space that deleted rows leave behind, on each engine."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import text

from db.engine.database import engine_for
from db.engine.url import sqlite_file


def free_bytes(url: str) -> int | None:
    """The bytes of a SQLite file that hold nothing and are used for new rows first; None on PostgreSQL, whose
    autovacuum sees to it."""
    if sqlite_file(url) is None:
        return None
    with engine_for(url) as engine, engine.connect() as connection:
        pages, size = (connection.scalar(text(f"PRAGMA {name}")) for name in ("freelist_count", "page_size"))
        return int(pages or 0) * int(size or 0)


def vacuum(url: str) -> None:
    """Give free space back: SQLite writes its file anew (needs as much free disk, and keeps all writers waiting);
    PostgreSQL makes room for new rows and renews the planner's figures, beside a line that goes on working.

    Raises:
        DatabaseUnavailable: the disk is full, or the database is away or locked.
    """
    with engine_for(url) as engine:
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM (ANALYZE)"))
            return
        # Outside of the transaction that every scope of SQLAlchemy's begins: VACUUM cannot run in one.
        with closing(engine.raw_connection()) as raw:
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                raw.cursor().execute(statement)
