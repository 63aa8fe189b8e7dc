"""The outbox's file: its tables, brought up to date when it is opened, and its write-ahead log."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

_TABLES = """
CREATE TABLE IF NOT EXISTS waiting (
    capture_id TEXT PRIMARY KEY,
    event      TEXT NOT NULL,
    stored_at  REAL NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    REAL NOT NULL,
    problem    TEXT,
    number     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting_next_at ON waiting (next_at);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_INDEXES = """
CREATE INDEX IF NOT EXISTS waiting_number ON waiting (number);
CREATE INDEX IF NOT EXISTS waiting_unsent ON waiting (number) WHERE attempts = 0;
"""


def open_file(path: Path) -> sqlite3.Connection:
    """Open the outbox's file, making it where there is none; several processes may do so at once.

    Raises:
        sqlite3.Error: the file cannot be opened or is not an outbox.
    """
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    _log_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_TABLES)
    _add_numbers(connection)
    connection.executescript(_INDEXES)
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Give a database a write-ahead log. For that SQLite does not wait for others who open the file just now."""
    busy = retry_if_exception_type(sqlite3.OperationalError)
    for attempt in Retrying(retry=busy, stop=stop_after_delay(10.0), wait=wait_random(0.01, 0.05), reraise=True):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL")


def _add_numbers(connection: sqlite3.Connection) -> None:
    """Give an outbox of an earlier version its numbers; of several processes that open it one does so."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not any(column[1] == "number" for column in connection.execute("PRAGMA table_info(waiting)")):
            connection.execute("ALTER TABLE waiting ADD COLUMN number INTEGER NOT NULL DEFAULT 0")
            old = connection.execute("SELECT capture_id FROM waiting ORDER BY stored_at, capture_id").fetchall()
            connection.executemany(
                "UPDATE waiting SET number = ? WHERE capture_id = ?",
                [(number, capture_id) for number, (capture_id,) in enumerate(old, 1)],
            )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
