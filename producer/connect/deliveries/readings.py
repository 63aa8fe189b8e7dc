"""Since when each sink that shows states has received the line's answers without a gap: a table of the delivery log.

A shown state is known to be current only if every later answer for it was read, under the sink's present configuration.
So a reading has a configuration, and the number of the last delivery before it. A new reading begins if answers were
missed, if the sink was not in the file for a while, and if its configuration changes. A delivery with a lower number is
sent as an event, and is not a state.

Once the line's database is a backup's, no answer up to then counts at all: not even to say what is older, as the
numbers and times of then are another database's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import Final

from producer.connect.deliveries import check_event_ids, shown_answers
from producer.files.notes import noted
from producer.files.sqlite_file import SqliteFile

TABLE: Final = """
CREATE TABLE IF NOT EXISTS reading (sink TEXT PRIMARY KEY, since INTEGER NOT NULL, configured TEXT NOT NULL)
    WITHOUT ROWID;
"""


_FORGOTTEN: Final = "nothing counts up to"
"""The note of the number of the last delivery that was forgotten."""


class Readings:
    """The readings of a delivery log's sinks; safe to use from several threads."""

    def __init__(self, file: SqliteFile):
        """Of the log in `file`, which has the table."""
        self._file = file

    def since(self, sink: str) -> int:
        """The number above which the answers to `sink` are read without a break; 0 where none was ever missed."""
        with self._file.reading() as connection:
            row = connection.execute("SELECT since FROM reading WHERE sink = ?", (sink,)).fetchone()
        return 0 if row is None else int(row[0])

    def forgotten(self) -> int:
        """The number up to which no delivery counts; -1 where all do."""
        return int(noted(self._file, _FORGOTTEN) or -1)

    def configured(self) -> dict[str, str]:
        """How each sink is configured that is read for."""
        with self._file.reading() as connection:
            return dict(connection.execute("SELECT sink, configured FROM reading").fetchall())

    def reserve(self, count: int) -> int:
        """Have no delivery get the next numbers, so many; the last one before them."""
        with self._file.transaction() as connection:
            number = _last_number(connection)
            connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'delivery'", (number + count,))
        return number

    def begin(self, sinks: Mapping[str, str], number: int, shown: Mapping[str, Mapping[str, str]]) -> None:
        """Have the readings of `sinks`, with how they are configured, begin behind a number with what each shows."""
        with self._file.transaction() as connection:
            rows = [(sink, number, how) for sink, how in sinks.items()]
            connection.executemany("INSERT OR REPLACE INTO reading VALUES (?, ?, ?)", rows)
            for sink, answers in shown.items():
                shown_answers.keep(connection, sink, answers)

    def begin_anew(self) -> None:
        """Let no sink show an earlier answer: a missed one may have overtaken it."""
        with self._file.transaction() as connection:
            begin_anew(connection)


def begin_anew(connection: sqlite3.Connection) -> None:
    """Have all readings begin behind the newest delivery."""
    connection.execute("UPDATE reading SET since = ?", (_last_number(connection),))


def forget_all(connection: sqlite3.Connection) -> None:
    """Have all readings begin anew, and nothing count that was said before, or is shown."""
    begin_anew(connection)
    note = (_FORGOTTEN, str(_last_number(connection)))
    connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", note)
    shown_answers.forget_all(connection)
    check_event_ids.forget_numbers(connection)


def begin_behind(connection: sqlite3.Connection, sink: str, number: int) -> None:
    """Let the reading of `sink` begin behind a number: it did not receive everything before it."""
    connection.execute("UPDATE reading SET since = max(since, ?) WHERE sink = ?", (number, sink))


def keep_only(connection: sqlite3.Connection, sinks: Collection[str]) -> None:
    """End the readings of all other sinks: from now on nothing is read for them."""
    names = json.dumps([*sinks])
    connection.execute("DELETE FROM reading WHERE sink NOT IN (SELECT value FROM json_each(?))", (names,))


def forget_repeated(connection: sqlite3.Connection, events: Collection[tuple[str, str]]) -> None:
    """Forget of these, each a sink and an event's id, those from before its reading: said again, they are its state."""
    connection.executemany(
        "DELETE FROM delivery WHERE sink = ?1 AND event_id = ?2"
        " AND number <= (SELECT since FROM reading WHERE sink = ?1)",
        events,
    )


def _last_number(connection: sqlite3.Connection) -> int:
    """The number of the newest delivery; before the first, one above those of a log that was there before."""
    [number] = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'delivery'").fetchone()
    return int(number)
