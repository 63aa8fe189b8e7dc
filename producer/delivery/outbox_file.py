"""The outbox's file: its tables, brought up to date when it is opened, and its write-ahead log."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
    number     INTEGER NOT NULL DEFAULT 0,
    sending    INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_INDEXES = """
CREATE INDEX IF NOT EXISTS waiting_number ON waiting (number);
CREATE INDEX IF NOT EXISTS waiting_unsent ON waiting (number) WHERE attempts = 0;
CREATE INDEX IF NOT EXISTS waiting_sending ON waiting (sending);
CREATE INDEX IF NOT EXISTS waiting_overtaken ON waiting (next_at, number) WHERE attempts > 0 AND sending IS NULL;
DROP INDEX IF EXISTS waiting_next_at;
"""


class OutboxFile:
    """The outbox's file, open; safe to use from several threads and processes."""

    def __init__(self, path: Path):
        """Open the file, making it where there is none; several processes may do so at once.

        Raises:
            sqlite3.Error: the file cannot be opened or is not an outbox.
        """
        self._path = path
        self._lock = threading.Lock()
        with self._named("opened"):
            self.connection = _open(path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self.connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, to read from it.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        with self._lock, self._named("read"):
            yield self.connection

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction, which is committed when the block ends, and on disk then if `synced`.

        What is not synced may be gone after a power cut (never half, never after a mere crash). For what was sent or
        answered that means it is sent again, which is harmless; the disk's time belongs to those that submit.

        Raises:
            sqlite3.Error: it cannot be written; nothing of the block is kept then.
        """
        with self._lock, self._named("written"):
            try:
                self.connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                self.connection.execute("BEGIN IMMEDIATE")
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _named(self, what: str) -> Iterator[None]:
        """Name the file in errors of SQLite."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise type(error)(f"the outbox {self._path} cannot be {what}: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    _log_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_TABLES)
    _add_columns(connection)
    connection.executescript(_INDEXES)
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Give a database a write-ahead log. For that SQLite does not wait for others who open the file just now."""
    busy = retry_if_exception_type(sqlite3.OperationalError)
    for attempt in Retrying(retry=busy, stop=stop_after_delay(10.0), wait=wait_random(0.01, 0.05), reraise=True):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL")


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
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
