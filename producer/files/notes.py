"""Notes in a SQLite file: a value under a name, kept in one step with what else is in it."""

from __future__ import annotations

from typing import Final

from producer.files.sqlite_file import SqliteFile

TABLE: Final = "CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"


def noted(file: SqliteFile, name: str) -> str | None:
    """What was noted under `name`, if anything was."""
    with file.reading() as connection:
        row = connection.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])
