"""Insert changes that other systems have told us, kept on disk until a worker says what became of each.

A connector has no database. It puts them into a Redis hash, by their ids, and does so again every few seconds until the
plant's stream has the answer: so a Redis that has lost them, a worker that is away and a crash at any moment cost none.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import redis

from producer.contract.insert_change import INSERT_CHANGES, InsertChange, KeptChange
from producer.delivery.redis_connection import connect
from producer.delivery.stream_reader import CALL_TIMEOUT
from producer.files.durable_files import make_folder
from producer.files.sqlite_file import SqliteFile
from producer.runtime.outage_log import OutageLog
from producer.runtime.periodic import Periodic

FILE: Final = "changes.db"
"""The file's name, beside the delivery log."""

SEND_AGAIN_AFTER: Final = 15.0
"""Seconds without an answer after which a change is sent again."""

LOOK_EVERY: Final = 5.0
"""Seconds between two looks whether one is due."""

CHANGES_AT_ONCE: Final = 200
"""Changes that are sent in one call."""

_TABLE: Final = "CREATE TABLE IF NOT EXISTS change (id TEXT PRIMARY KEY, text TEXT NOT NULL, sent_at REAL)"


class InsertChangeOutbox:
    """The changes that wait for their answer; safe to use from several threads, and to read from other processes."""

    def __init__(self, folder: Path):
        """Open the file in `folder`, making it when it is not there.

        Raises:
            OSError: the folder cannot be made.
            sqlite3.Error: the file cannot be opened.
        """
        make_folder(folder.absolute())
        self._file = SqliteFile(folder / FILE, "file of insert changes", _prepare)
        self.kept = threading.Event()
        """Set when there is something new to be sent."""

    def close(self) -> None:
        """Close the file; everything in it stays."""
        self._file.close()

    def keep(self, change: InsertChange, via: str) -> None:
        """Keep a change that came by the system `via`; on return it is on disk. One that is sent again is there once.

        Raises:
            ValueError: another change with this id waits.
            sqlite3.Error: it could not be stored.
        """
        text = KeptChange(change=change, said_at=datetime.now(UTC), via=via).model_dump_json(exclude_none=True)
        with self._file.transaction() as connection:
            known = connection.execute("SELECT text FROM change WHERE id = ?", (str(change.change_id),)).fetchone()
            if known is None:
                connection.execute("INSERT INTO change (id, text) VALUES (?, ?)", (str(change.change_id), text))
        if known is not None and KeptChange.model_validate_json(known[0]).change != change:
            raise ValueError(f"the change_id {change.change_id} is another change's: each needs one of its own")
        self.kept.set()

    def due(self, now: float) -> dict[str, str]:
        """What is to be sent, by its id: new ones, and those without an answer for long."""
        with self._file.reading() as connection:
            query = "SELECT id, text FROM change WHERE sent_at IS NULL OR sent_at NOT BETWEEN ? AND ? LIMIT ?"
            return dict(connection.execute(query, (now - SEND_AGAIN_AFTER, now, CHANGES_AT_ONCE)).fetchall())

    def sent(self, change_ids: Collection[str], now: float) -> None:
        """Note that these were sent."""
        with self._file.transaction(synced=False) as connection:
            rows = [(now, change_id) for change_id in change_ids]
            connection.executemany("UPDATE change SET sent_at = ? WHERE id = ?", rows)

    def waiting(self, change_ids: Iterable[UUID]) -> list[UUID]:
        """Those of these that wait for their answer."""
        with self._file.reading() as connection:
            query = "SELECT id FROM change WHERE id IN (SELECT value FROM json_each(?))"
            rows = connection.execute(query, (json.dumps([str(change_id) for change_id in change_ids]),)).fetchall()
        return [UUID(row[0]) for row in rows]

    def settle(self, change_ids: Collection[UUID]) -> None:
        """Forget these: their answers are there."""
        if not change_ids:
            return
        with self._file.transaction(synced=False) as connection:
            connection.executemany("DELETE FROM change WHERE id = ?", [(str(change_id),) for change_id in change_ids])

    def __len__(self) -> int:
        with self._file.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM change").fetchone()[0])


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute(_TABLE)


class ChangeSender(Periodic):
    """Sends what waits, and at once what is kept anew, from entering the block to its end."""

    def __init__(self, changes: InsertChangeOutbox, redis_url: str):
        """Nothing is connected yet."""
        super().__init__(
            LOOK_EVERY, name="send-changes", failure="insert changes are not sent", at_once=True, woken=changes.kept
        )
        self._changes = changes
        self._redis: redis.Redis = connect(redis_url, timeout=CALL_TIMEOUT)
        self._outage = OutageLog("insert changes wait: they cannot be sent", "insert changes are sent again")

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._redis.close()

    def turn(self) -> None:
        """Send all that is due, unless Redis is away or the file cannot be read."""
        try:
            while self._send():
                pass
            self._outage.ends()
        except (redis.RedisError, OSError, sqlite3.Error) as error:
            self._outage.begins(f"{type(error).__name__}: {error}")

    def _send(self) -> bool:
        """Send what is due; whether there was anything."""
        due = self._changes.due(time.time())
        if due:
            self._redis.hset(INSERT_CHANGES, mapping=due)  # type: ignore[arg-type]
            self._changes.sent(due.keys(), time.time())
        return bool(due)
