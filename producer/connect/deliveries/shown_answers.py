"""What each sink shows of late: a table of the delivery log."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from typing import Final

TABLE: Final = """
CREATE TABLE IF NOT EXISTS shown (sink TEXT NOT NULL, topic TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (sink, topic))
    WITHOUT ROWID;
"""


def keep(connection: sqlite3.Connection, sink: str, shown: Mapping[str, str]) -> None:
    """Keep what `sink` shows, by topic; of one without a text nothing."""
    forget(connection, sink, [topic for topic, text in shown.items() if not text])
    rows = [(sink, topic, text) for topic, text in shown.items() if text]
    connection.executemany("INSERT OR REPLACE INTO shown VALUES (?, ?, ?)", rows)


def of(connection: sqlite3.Connection, sink: str) -> dict[str, str]:
    """What `sink` shows of late, by topic."""
    return dict(connection.execute("SELECT topic, text FROM shown WHERE sink = ?", (sink,)).fetchall())


def forget_all(connection: sqlite3.Connection) -> None:
    """Keep nothing of what any sink shows."""
    connection.execute("DELETE FROM shown")


def forget(connection: sqlite3.Connection, sink: str, topics: Collection[str]) -> None:
    """Keep nothing of what `sink` shows under these topics."""
    connection.executemany("DELETE FROM shown WHERE sink = ? AND topic = ?", [(sink, topic) for topic in topics])
