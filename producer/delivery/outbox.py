"""Events on the station's own disk until they are confirmed.

They leave in the order in which they were handed in, by a number that no clock spoils: arrival is what the order of
photographs is taken from (decision 15). Each message that leaves has a number too, its sending: an answer to a later
one says that what was sent before is overtaken, and most likely lost (decision 19).

SQLite, because it is durable on every station PC without a server: each event is one synced transaction, and several
processes of one station (a folder camera, a check) may share the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from producer.contract.event import CaptureEvent
from producer.delivery import resend
from producer.delivery.outbox_file import open_outbox_file, read_event
from producer.delivery.outbox_room import DEFAULT_LIMIT, OutboxRoom
from producer.files.durable_files import make_folder
from producer.files.notes import noted

NEWEST_ID: Final = "newest"
"""Where the highest capture id is noted that was ever kept: the order of photographs hangs on ids (decision 15)."""

_WAITED_NOTE: Final = "waited"
"""Where it is noted how long that had waited which was answered last, in seconds."""


@dataclass(frozen=True)
class Waiting:
    """An event that is not confirmed yet. Times are seconds since the epoch."""

    event: CaptureEvent
    stored_at: float
    attempts: int
    problem: str | None
    together: bool = False
    """Whether it is to leave in one message with the others of its check."""

    @property
    def why(self) -> str:
        """Why it still waits."""
        if self.attempts:
            return "sent, not answered yet" + (f", and not sent again: {self.problem}" if self.problem else "")
        return f"not sent yet: {self.problem or 'Redis has not taken it'}"


class Outbox:
    """The unconfirmed events of one station, in one file; safe to use from several threads and processes."""

    def __init__(self, path: Path, limit: int = DEFAULT_LIMIT):
        """Open the outbox at `path`, making it when it is not there; `limit` captures may wait in it.

        Raises:
            OSError: the folder cannot be made.
            sqlite3.Error: the file cannot be opened or is not an outbox.
        """
        make_folder(path.absolute().parent)
        self.path = path
        self.limit = limit
        self._room = OutboxRoom(path)
        self._together: list[str] | None = None
        self._file = open_outbox_file(path)

    def close(self) -> None:
        """Close the file; every event in it stays."""
        self._file.close()

    def check_room(self) -> None:
        """Refuse a new capture while the outbox is full, and warn in the log long before.

        Asked before the image is stored, so that nothing is left of what is refused; processes that submit in the
        same instant may therefore pass the limit by one capture each. What was accepted is never dropped for room.

        Raises:
            OutboxFull: the limit is reached.
            sqlite3.Error: the outbox cannot be read.
        """
        self._room.check(len(self), self.limit)

    def add(self, event: CaptureEvent, now: float, note: tuple[str, str] | None = None) -> None:
        """Keep `event` from now on; on return it is synced to disk, with `note` (name, value) in one step.

        Raises:
            sqlite3.Error: it could not be stored (a full disk, say); nothing of it is kept then.
        """
        whole_from = None if self._together is None else now + resend.HELD
        with self._file.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO waiting (capture_id, event, stored_at, next_at, number, whole_from)"
                " VALUES (?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM waiting), ?)",
                (str(event.capture_id), event.model_dump_json(exclude_none=True), now, whole_from or now, whole_from),
            )
            raised = "INSERT INTO note VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)"
            connection.execute(raised, (NEWEST_ID, str(event.capture_id)))
            if note is not None:
                connection.execute("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", note)
        if self._together is not None:
            self._together.append(str(event.capture_id))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Hold what is added within the block until its end, for all processes; it is to leave `together` then.

        Raises:
            sqlite3.Error: the outbox cannot be written; what was added is held for `resend.HELD` seconds.
        """
        held = self._together = []
        try:
            yield
        finally:
            self._together = None
            with self._file.transaction(synced=False) as connection:
                # Also what is held of the same checks by a process that died in its block.
                connection.execute(
                    "UPDATE waiting SET whole_from = 0, next_at = stored_at WHERE whole_from > 0"
                    " AND json_extract(event, '$.check_id') IN (SELECT json_extract(event, '$.check_id') FROM waiting"
                    " WHERE capture_id IN (SELECT value FROM json_each(?)))",
                    (json.dumps(held),),
                )

    def due(self, now: float, longest_wait: float, limit: int = 100) -> list[Waiting]:
        """The events to be sent at `now`, in their order (`producer.delivery.resend.choose_due`)."""
        return resend.choose_due(self._select, now, longest_wait, limit)

    def next_due(self) -> float | None:
        """When the next event is due, or None while nothing waits."""
        with self._file.reading() as connection:
            return resend.next_due(connection)

    def make_all_due(self) -> None:
        """Have everything that waits for its answer sent once more, whatever was to be waited."""
        with self._file.transaction(synced=False) as connection:
            connection.execute("UPDATE waiting SET next_at = 0, sending = NULL WHERE attempts > 0")

    def make_last_due(self, note: tuple[str, str] | None = None) -> None:
        """Have the event that was sent last sent once more, whatever was to be waited; keep `note`."""
        with self._file.transaction(synced=False) as connection:
            connection.execute("UPDATE waiting SET next_at = 0 WHERE sending = (SELECT max(sending) FROM waiting)")
            if note is not None:
                connection.execute("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", note)

    def waiting(self, limit: int = 1_000_000) -> list[Waiting]:
        """Everything that is not confirmed, oldest first."""
        return self._select("ORDER BY number LIMIT ?", (limit,))

    def find(self, capture_id: str) -> Waiting | None:
        """The unconfirmed event of one capture, or None."""
        rows = self._select("WHERE capture_id = ?", (capture_id,))
        return rows[0] if rows else None

    def __len__(self) -> int:
        with self._file.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def unsent(self) -> int:
        """How many events have not left this station yet."""
        with self._file.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM waiting WHERE attempts = 0").fetchone()[0])

    def oldest_at(self) -> float | None:
        """When the capture that has waited longest was stored, in seconds since the epoch; None while none waits."""
        with self._file.reading() as connection:
            row = connection.execute("SELECT min(stored_at) FROM waiting").fetchone()
        return None if row[0] is None else float(row[0])

    def answers_take(self, now: float) -> float:
        """How long answers take at present, in seconds from hand-in: what is known of it, and at least so long.

        As long as that has waited which came last, or as what is awaited longest waits already. What was overtaken is
        awaited no longer.
        """
        with self._file.reading() as connection:
            stored_at, waited = connection.execute(
                "SELECT (SELECT stored_at FROM waiting WHERE sending IS NOT NULL ORDER BY sending LIMIT 1),"
                " (SELECT value FROM note WHERE name = ?)",
                (_WAITED_NOTE,),
            ).fetchone()
        return max(float(waited or 0.0), 0.0 if stored_at is None else now - stored_at)

    def sent(self, messages: Iterable[Iterable[str]], next_at: float) -> None:
        """Note in one step that these captures left this station in these messages, in this order.

        Args:
            messages: the captures' ids.
            next_at: when the one that was sent last is to be sent again.
        """
        with self._file.transaction(synced=False) as connection:
            last = connection.execute("SELECT coalesce(max(sending), 0) FROM waiting").fetchone()[0]
            connection.executemany(
                "UPDATE waiting SET attempts = attempts + 1, sending = ?, next_at = ?, problem = NULL"
                " WHERE capture_id = ?",
                [
                    (sending, next_at, capture_id)
                    for sending, message in enumerate(messages, last + 1)
                    for capture_id in message
                ],
            )

    def not_sent(self, capture_ids: Iterable[str], next_at: float, problem: str) -> None:
        """Note why captures could not be sent, and when to try next."""
        with self._file.transaction(synced=False) as connection:
            connection.executemany(
                "UPDATE waiting SET next_at = ?, problem = ? WHERE capture_id = ?",
                [(next_at, problem, capture_id) for capture_id in capture_ids],
            )

    def confirm(
        self, capture_ids: Sequence[str], now: float, overtaken_at: float, note: tuple[str, str] | None = None
    ) -> int:
        """Forget captures that have their verdict or fault, and keep `note` (name, value), in one step.

        What was sent before them or with them, and is not answered by `overtaken_at`, is sent again then
        (`producer.delivery.resend.overtake`).

        Returns how many of them had been waiting.
        """
        notes = [] if note is None else [note]
        with self._file.transaction(synced=False) as connection:
            last = connection.execute("SELECT max(sending) FROM waiting").fetchone()[0]
            query = "SELECT stored_at, attempts, sending FROM waiting WHERE capture_id = ?"
            rows = [row for capture in capture_ids if (row := connection.execute(query, (capture,)).fetchone())]
            connection.executemany("DELETE FROM waiting WHERE capture_id = ?", [(capture,) for capture in capture_ids])
            if rows:
                notes.append((_WAITED_NOTE, repr(now - min(stored_at for stored_at, _, _ in rows))))
            resend.overtake(connection, ((attempts, sending) for _, attempts, sending in rows), last, overtaken_at)
            connection.executemany("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", notes)
        return len(rows)

    def note(self, name: str) -> str | None:
        """What was noted under `name` (a position in the stream, a file already submitted)."""
        return noted(self._file, name)

    def first_note(self, name: str, value: str) -> str:
        """Note `value` under `name` unless there is a note already; return the one that is kept."""
        with self._file.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO note (name, value) VALUES (?, ?)", (name, value))
            return str(connection.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()[0])

    def keep_note(self, name: str, value: str) -> None:
        """Note `value` under `name`, in place of what was noted; not synced: a power cut may take it."""
        with self._file.transaction(synced=False) as connection:
            connection.execute("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", (name, value))

    def notes(self, prefix: str) -> dict[str, str]:
        """The notes whose names begin with `prefix`."""
        # A range, which the index serves: a camera asks several times for each photograph, and has notes of a week.
        query, values = "SELECT name, value FROM note", list[str]()
        if prefix:
            query, values = f"{query} WHERE name >= ? AND name < ?", [prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)]
        with self._file.reading() as connection:
            return {str(name): str(value) for name, value in connection.execute(query, values).fetchall()}

    def forget_notes(self, names: Iterable[str]) -> None:
        """Forget notes that have served their purpose; one that comes back after a power cut does no harm."""
        with self._file.transaction(synced=False) as connection:
            connection.executemany("DELETE FROM note WHERE name = ?", [(name,) for name in names])

    def _select(self, tail: str, values: tuple[object, ...]) -> list[Waiting]:
        with self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT event, stored_at, attempts, problem, whole_from NOTNULL FROM waiting {tail}",  # noqa: S608
                values,
            ).fetchall()
        return [Waiting(read_event(row[0], self.path), row[1], row[2], row[3], bool(row[4])) for row in rows]
