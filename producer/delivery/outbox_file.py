"""The outbox's file: its tables, brought up to date when it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pydantic import ValidationError

from producer.contract.event import CaptureEvent
from producer.files.notes import TABLE as NOTES
from producer.files.sqlite_file import SqliteFile
from producer.terminal.error_text import in_words

_TABLES = f"""
CREATE TABLE IF NOT EXISTS waiting (
    capture_id TEXT PRIMARY KEY,
    event      TEXT NOT NULL,
    stored_at  REAL NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    REAL NOT NULL,
    problem    TEXT,
    number     INTEGER NOT NULL DEFAULT 0,
    sending    INTEGER,
    whole_from REAL
) WITHOUT ROWID;
{NOTES}
"""

_INDEXES = """
CREATE INDEX IF NOT EXISTS waiting_number ON waiting (number);
CREATE INDEX IF NOT EXISTS waiting_unsent ON waiting (number) WHERE attempts = 0;
CREATE INDEX IF NOT EXISTS waiting_held ON waiting (whole_from) WHERE whole_from > 0;
CREATE INDEX IF NOT EXISTS waiting_sending ON waiting (sending);
CREATE INDEX IF NOT EXISTS waiting_overtaken ON waiting (next_at, number) WHERE attempts > 0 AND sending IS NULL;
DROP INDEX IF EXISTS waiting_next_at;
"""


class UnreadableEvent(sqlite3.DataError):
    """An event is none that this version knows: that of a later one, say. It stays in the outbox, with all others."""


def read_event(text: str, path: Path) -> CaptureEvent:
    """An event as it stands in the outbox at `path`.

    Raises:
        UnreadableEvent: it is none of this version's.
    """
    try:
        return CaptureEvent.model_validate_json(text)
    except ValidationError as error:
        problem = f"a capture in the outbox {path} cannot be read, and nothing is sent before it can"
        remedy = "did a later version keep it? Then go back to that one"
        raise UnreadableEvent(f"{problem} ({in_words(error)}): {remedy}") from None


def open_outbox_file(path: Path) -> SqliteFile:
    """The outbox's file, open, made where there is none.

    Raises:
        sqlite3.Error: the file cannot be opened or is not an outbox.
    """
    return SqliteFile(path, "outbox", _prepare)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.executescript(_TABLES)
    _add_columns(connection)
    connection.executescript(_INDEXES)


def _add_columns(connection: sqlite3.Connection) -> None:
    """Give an outbox of an earlier version what it lacks; of several processes that open it one does so.

    What it had sent has no place among the sendings: it is sent again when the time comes that was noted for it.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        columns = {column[1] for column in connection.execute("PRAGMA table_info(waiting)")}
        if "number" not in columns:
            connection.execute("ALTER TABLE waiting ADD COLUMN number INTEGER NOT NULL DEFAULT 0")
            old = connection.execute("SELECT capture_id FROM waiting ORDER BY stored_at, capture_id").fetchall()
            connection.executemany(
                "UPDATE waiting SET number = ? WHERE capture_id = ?",
                [(number, capture_id) for number, (capture_id,) in enumerate(old, 1)],
            )
        if "sending" not in columns:
            connection.execute("ALTER TABLE waiting ADD COLUMN sending INTEGER")
        if "whole_from" not in columns:
            connection.execute("ALTER TABLE waiting ADD COLUMN whole_from REAL")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
