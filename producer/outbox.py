"""Events on the station's own disk until they are confirmed.

SQLite, because it is durable on every station PC without a server: each event is one synced transaction, and several
processes of one station (a folder camera, a check) may share the file.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from producer.durable import make_folder
from producer.event import CaptureEvent

_TABLES = """
CREATE TABLE IF NOT EXISTS waiting (
    capture_id TEXT PRIMARY KEY,
    event      TEXT NOT NULL,
    stored_at  REAL NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    REAL NOT NULL,
    problem    TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting_next_at ON waiting (next_at);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Waiting:
    """An event that is not confirmed yet. Times are seconds since the epoch."""

    event: CaptureEvent
    stored_at: float
    attempts: int
    next_at: float
    problem: str | None


class Outbox:
    """The unconfirmed events of one station, in one file; safe to use from several threads and processes."""

    def __init__(self, path: Path):
        """Open the outbox at ``path``, making it when it is not there.

        Raises:
            OSError: the folder cannot be made.
            sqlite3.Error: the file cannot be opened or is not an outbox.
        """
        make_folder(path.absolute().parent)
        self.path = path
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the file; every event in it stays."""
        with self._lock:
            self._connection.close()

    def add(self, event: CaptureEvent, now: float, note: tuple[str, str] | None = None) -> None:
        """Keep ``event`` from now on; on return it is synced to disk, with ``note`` (name, value) in one step.

        Raises:
            sqlite3.Error: it could not be stored (a full disk, say); nothing of it is kept then.
        """
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO waiting (capture_id, event, stored_at, next_at) VALUES (?, ?, ?, ?)",
                (str(event.capture_id), event.model_dump_json(exclude_none=True), now, now),
            )
            if note is not None:
                connection.execute("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", note)

    def due(self, now: float, limit: int = 100) -> list[Waiting]:
        """The events whose time to be sent (again) has come, the longest due first."""
        return self._select("WHERE next_at <= ? ORDER BY next_at LIMIT ?", (now, limit))

    def next_due(self) -> float | None:
        """When the next event is due, or None while nothing waits."""
        with self._lock:
            row = self._connection.execute("SELECT min(next_at) FROM waiting").fetchone()
        return None if row[0] is None else float(row[0])

    def waiting(self, limit: int = 1_000_000) -> list[Waiting]:
        """Everything that is not confirmed, oldest first."""
        return self._select("ORDER BY stored_at LIMIT ?", (limit,))

    def find(self, capture_id: str) -> Waiting | None:
        """The unconfirmed event of one capture, or None."""
        rows = self._select("WHERE capture_id = ?", (capture_id,))
        return rows[0] if rows else None

    def __len__(self) -> int:
        with self._lock:
            return int(self._connection.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def tried(self, capture_id: str, next_at: float, *, sent: bool, problem: str | None) -> None:
        """Note an attempt to send: when to try next, whether it left this station, and what stood in the way."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE waiting SET attempts = attempts + ?, next_at = ?, problem = ? WHERE capture_id = ?",
                (int(sent), next_at, problem, capture_id),
            )

    def confirm(self, capture_ids: Iterable[str], note: tuple[str, str] | None = None) -> None:
        """Forget captures that have their verdict or fault, and keep ``note`` (name, value), in one step."""
        with self._transaction() as connection:
            connection.executemany(
                "DELETE FROM waiting WHERE capture_id = ?", [(capture_id,) for capture_id in capture_ids]
            )
            if note is not None:
                connection.execute("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", note)

    def note(self, name: str) -> str | None:
        """What was noted under ``name`` (a position in the stream, a file already submitted)."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def first_note(self, name: str, value: str) -> str:
        """Note ``value`` under ``name`` unless something stands there already; return what stands there."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO note (name, value) VALUES (?, ?)", (name, value))
            return str(connection.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()[0])

    def _select(self, tail: str, values: tuple[object, ...]) -> list[Waiting]:
        with self._lock:
            rows = self._connection.execute(
                f"SELECT event, stored_at, attempts, next_at, problem FROM waiting {tail}",  # noqa: S608
                values,
            ).fetchall()
        return [Waiting(CaptureEvent.model_validate_json(row[0]), *row[1:]) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
