"""The events that wait for each sink, and those that it has: a SQLite file beside the connector, so that none is lost.

An event and the position in the plant's stream up to which it was read are kept in one transaction. So a connector that
is killed reads again what it had not kept, and nothing else; what it had kept twice is one row, by the event's id.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from producer.connect.deliveries import check_event_ids, readings, shown_answers, sink_states
from producer.connect.deliveries.by_hand import ByHand
from producer.connect.deliveries.check_event_ids import LastCheckEvent
from producer.connect.deliveries.head_sizes import HeadSizes
from producer.connect.deliveries.readings import Readings
from producer.connect.deliveries.retry_schedule import LONGEST_STEP
from producer.contract.connector_report import SinkState
from producer.contract.plant_event import PLANT_EVENTS, PlantEvent
from producer.files.durable_files import make_folder
from producer.files.notes import TABLE as NOTES
from producer.files.notes import noted
from producer.files.sqlite_file import SqliteFile

State = Literal["waiting", "delivered", "given up", "put away"]

DEFAULT_LIMIT: Final = 1_000_000
"""Deliveries that may wait for one sink, some 1 kB each: weeks of a large plant. Its oldest go then, and no other's."""

KEPT: Final = 7 * 24 * 3600.0
"""Seconds for which is remembered what was delivered: by then no answer is given for the second time."""

AS_NEW: Final = (
    "once deliveries.db, deliveries.db-wal and deliveries.db-shm are taken away `connect run` begins with what the line"
    " says next; what waited in them `insert-db verdicts --since` has"
)
"""What to do about a log that is damaged: there is no backup of it, and need not be."""

_TABLES = f"""{shown_answers.TABLE + sink_states.TABLE + readings.TABLE}
CREATE TABLE IF NOT EXISTS delivery (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    sink     TEXT NOT NULL,
    event_id TEXT NOT NULL,
    "order"  TEXT NOT NULL,
    event    TEXT NOT NULL,
    state    TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at  REAL NOT NULL DEFAULT 0,
    ended_at REAL,
    problem  TEXT,
    UNIQUE (sink, event_id)
);
CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (sink, number) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS delivery_in_order ON delivery (sink, "order", number) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS delivery_ended ON delivery (ended_at) WHERE state = 'delivered';
CREATE INDEX IF NOT EXISTS delivery_given_up ON delivery (sink) WHERE state = 'given up';
{NOTES}
"""

_FIRST = """
INSERT INTO sqlite_sequence (name, seq)
SELECT 'delivery', ? WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'delivery')
"""
"""The numbers of a new log go on above those of one that was there before: who compares them sees another number."""

_REFUSED_LONG_AGO: Final = (
    "DELETE FROM delivery WHERE sink = ? AND event_id = ? AND state IN ('given up', 'put away') AND ended_at < ?"
)
"""Said again, it is another answer that has the same id, because its check is remembered no longer."""

_OLDEST_TIME: Final = """
SELECT (SELECT CAST(strftime('%s', json_extract(event, '$.time')) AS REAL) FROM delivery
    WHERE state IN ('waiting', 'delivered') ORDER BY number LIMIT 1)
"""
"""When the oldest event was said that is not given up; those may stay for ever."""


@dataclass(frozen=True)
class Delivery:
    """An event on its way to a sink. Times are seconds since the epoch."""

    number: int
    sink: str
    event: PlantEvent
    state: State
    attempts: int
    ended_at: float | None
    problem: str | None


class DeliveryLog:
    """The deliveries of one connector; safe to use from several threads, and to read from other processes."""

    def __init__(self, path: Path):
        """Open the log at `path`, making it when it is not there.

        Raises:
            OSError: the folder cannot be made.
            sqlite3.Error: the file cannot be opened or is no such log.
        """
        make_folder(path.absolute().parent)
        self.path = path
        try:
            self._file = SqliteFile(path, "delivery log", _prepare)
        except sqlite3.DatabaseError as error:
            code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
            if code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise
            raise type(error)(f"the delivery log {path} is damaged, {error.__cause__}: {AS_NEW}") from error
        self.readings = Readings(self._file)
        self.by_hand = ByHand(self._file)
        self.sizes = HeadSizes()

    def close(self) -> None:
        """Close the file; everything in it stays."""
        self._file.close()

    def note(self, name: str) -> str | None:
        """What was noted under `name`, if anything was."""
        return noted(self._file, name)

    def with_event_ids(
        self, events: Sequence[PlantEvent], unkept: Mapping[str, LastCheckEvent] | None = None
    ) -> tuple[list[PlantEvent], list[LastCheckEvent]]:
        """What the line says with its ids, and what was last said of its checks (see `check_event_ids`)."""
        with self._file.reading() as connection:
            return check_event_ids.with_event_ids(connection, events, unkept or {})

    def keep(
        self,
        events: Mapping[str, Sequence[PlantEvent]],
        notes: Mapping[str, str],
        last_events: Sequence[LastCheckEvent] = (),
        *,
        is_state: bool = True,
        forgets: bool = False,
    ) -> None:
        """Store the events for each sink, `notes`, and the last answers of checks, in one step.

        On return all is on disk. If it is no longer `is_state`, the sinks receive it as an event, and do not show it.
        If this `forgets` besides, nothing of it and of before counts any more (`producer.connect.restores`).

        Raises:
            sqlite3.Error: it could not be stored (a full disk, say); nothing of it is kept then.
        """
        rows = [(sink, event.id, event.order, event.as_json()) for sink, wanted in events.items() for event in wanted]
        with self._file.transaction() as connection:
            connection.executemany(_REFUSED_LONG_AGO, [(*row[:2], time.time() - KEPT) for row in rows])
            if is_state:
                readings.forget_repeated(connection, [row[:2] for row in rows])
            connection.executemany(
                'INSERT OR IGNORE INTO delivery (sink, event_id, "order", event) VALUES (?, ?, ?, ?)', rows
            )
            connection.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", notes.items())
            check_event_ids.keep(connection, last_events)
            if not is_state:
                (readings.forget_all if forgets else readings.begin_anew)(connection)

    def due(self, sink: str, now: float, most: int) -> list[Delivery]:
        """The events that are due for `sink`, in the line's order.

        Nothing overtakes an earlier event of the same head that is to be tried again later.
        """
        where = (
            "sink = ?1 AND state = 'waiting' AND next_at NOT BETWEEN ?2 AND ?3"
            " AND NOT EXISTS (SELECT 1 FROM delivery AS earlier WHERE earlier.sink = one.sink AND"
            ' earlier."order" = one."order" AND earlier.state = \'waiting\' AND earlier.number < one.number AND'
            " earlier.next_at BETWEEN ?2 AND ?3) ORDER BY number LIMIT ?4"
        )
        return self._read(where, sink, *_later(now), most)

    def next_due(self, sink: str, now: float) -> float | None:
        """The next moment after `now` at which an event for `sink` is due; None if there is none."""
        query = "SELECT min(next_at) FROM delivery WHERE sink = ? AND state = 'waiting' AND next_at BETWEEN ? AND ?"
        with self._file.reading() as connection:
            return connection.execute(query, (sink, *_later(now))).fetchone()[0]  # type: ignore[no-any-return]

    def try_again(self, sink: str, now: float) -> None:
        """Have everything due that `sink` has refused and that waits for its next attempt."""
        due = "UPDATE delivery SET next_at = ?1 WHERE sink = ?2 AND state = 'waiting' AND next_at > ?1"
        with self._file.transaction(synced=False) as connection:
            connection.execute(due, (now, sink))

    def delivered(self, sink: str, deliveries: Iterable[Delivery], now: float, shown: Mapping[str, str]) -> None:
        """Note that `sink` took these, and what it shows of late under which topic.

        Not synced: after a power cut the last are delivered once more, with the same ids.
        """
        rows = [(now, delivery.number) for delivery in deliveries]
        with self._file.transaction(synced=False) as connection:
            connection.executemany(
                "UPDATE delivery SET state = 'delivered', ended_at = ?, problem = NULL WHERE number = ?", rows
            )
            connection.execute(
                "UPDATE sink SET delivered = delivered + ?, last_at = ? WHERE name = ?", (len(rows), now, sink)
            )
            shown_answers.keep(connection, sink, shown)

    def failed(self, delivery: Delivery, now: float, problem: str, next_at: float | None) -> None:
        """Note that an attempt failed, and when the next is due; where that is None it is given up."""
        state, next_at, ended_at = ("given up", now, now) if next_at is None else ("waiting", next_at, None)
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE delivery SET attempts = attempts + 1, problem = ?, next_at = ?, state = ?, ended_at = ?"
                " WHERE number = ?",
                (problem, next_at, state, ended_at, delivery.number),
            )

    def shown(self, sink: str) -> dict[str, str]:
        """What `sink` shows of late, by topic."""
        with self._file.reading() as connection:
            return shown_answers.of(connection, sink)

    def configure(self, names: Collection[str]) -> None:
        """Have no sinks but these: what waits for others stays, should they come back; that it is all is not known."""
        with self._file.transaction() as connection:
            sink_states.keep_only(connection, names)
            readings.keep_only(connection, names)

    def set_up(self, sink: str, up: bool, problem: str | None, now: float) -> None:
        """Note whether `sink` is up, and since when."""
        with self._file.transaction(synced=False) as connection:
            sink_states.set_up(connection, sink, up, problem, now)

    def disable(self, sink: str, disabled: bool) -> None:
        """Send `sink` nothing more, or again; what waits for it stays."""
        with self._file.transaction() as connection:
            connection.execute("UPDATE sink SET disabled = ? WHERE name = ?", (disabled, sink))

    def is_disabled(self, sink: str) -> bool:
        """Whether nothing is to be sent to `sink`."""
        with self._file.reading() as connection:
            row = connection.execute("SELECT disabled FROM sink WHERE name = ?", (sink,)).fetchone()
        return bool(row and row[0])

    def latest(self, sink: str | None, state: State | None, most: int) -> list[Delivery]:
        """The newest deliveries first, of one sink or all, in one state or any."""
        where = "(?1 IS NULL OR sink = ?1) AND (?2 IS NULL OR state = ?2) ORDER BY number DESC LIMIT ?3"
        return self._read(where, sink, state, most)

    def behind(self, number: int, sink: str, state: State, most: int) -> list[Delivery]:
        """The deliveries to `sink` in one state that come behind a number, in their order."""
        return self._read("sink = ? AND state = ? AND number > ? ORDER BY number LIMIT ?", sink, state, number, most)

    def _read(self, where: str, *values: object) -> list[Delivery]:
        with self._file.reading() as connection:
            query = f"SELECT {_COLUMNS} FROM delivery AS one WHERE {where}"  # noqa: S608
            rows = connection.execute(query, values).fetchall()
        return [_delivery(row) for row in rows]

    def sinks(self) -> list[SinkState]:
        """How each sink is doing that is configured, by name."""
        with self._file.reading() as connection:
            return sink_states.states(connection)

    def forget(self, now: float) -> None:
        """Remove what was delivered longer ago than is remembered."""
        with self._file.transaction(synced=False) as connection:
            connection.execute("DELETE FROM delivery WHERE state = 'delivered' AND ended_at < ?", (now - KEPT,))
            [oldest] = connection.execute(_OLDEST_TIME).fetchone()
            # By Redis's clock, as the other: while an event is here, another answer must not have its id.
            check_event_ids.forget(connection, min(now - KEPT, math.inf if oldest is None else oldest))

    def forget_oldest(self, most: int) -> dict[str, int]:
        """Remove of what waits for each sink the oldest beyond so many; how many those were, by sink."""
        with self._file.transaction() as connection:
            counts = connection.execute("SELECT sink, count(*) FROM delivery WHERE state = 'waiting' GROUP BY sink")
            too_many = {sink: count - most for sink, count in counts if count > most}
            waiting = "FROM delivery WHERE sink = ? AND state = 'waiting'"
            for sink, count in too_many.items():
                oldest = f"SELECT number {waiting} ORDER BY number LIMIT 1 OFFSET ?"
                [last] = connection.execute(oldest, (sink, count - 1)).fetchone()
                connection.execute(f"DELETE {waiting} AND number <= ?", (sink, last))
                readings.begin_behind(connection, sink, last)
        return too_many


def _later(now: float) -> tuple[float, float]:
    """Between which moments an attempt is later than `now`. One that is further off is due: a clock was ahead."""
    return math.nextafter(now, math.inf), now + LONGEST_STEP


def _prepare(connection: sqlite3.Connection) -> None:
    connection.executescript(_TABLES)
    check_event_ids.prepare(connection)
    connection.execute(_FIRST, (int(time.time() * 1000),))


_COLUMNS: Final = "number, sink, event, state, attempts, ended_at, problem"


def _delivery(row: Sequence[object]) -> Delivery:
    number, sink, event, *rest = row
    return Delivery(number, sink, PLANT_EVENTS.validate_json(event), *rest)  # type: ignore[arg-type]
