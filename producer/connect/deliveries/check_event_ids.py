"""The event ids of answers to checks: an answer that returns after another one of its check is a new event.

The answer to a check has no time of its own: repeated, after a crash say, it is the same event with the same id. But if
the check had another answer in between (an insert was photographed again, a reviewer has overruled a verdict), a
receiver that skips known ids would go by the one in between, which no longer holds. So it would by what was said in
between against the answer: a hold, or a verdict that is not `intact`. Then an answer with a higher revision is a new
event, whatever it says. An answer, or a hold, that follows an answer of the same check with a higher revision is out of
date, and is not delivered at all.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.plant_event import PlantEvent
from producer.contract.plant_news import Hold

TABLE: Final = """
CREATE TABLE IF NOT EXISTS said_check (
    check_id TEXT PRIMARY KEY,
    answer   TEXT NOT NULL,
    event_id TEXT NOT NULL,
    at       REAL NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""
"""`answer` is the id by what it says alone, `event_id` that by which it was told, `at` seconds since the epoch,
`revision` the highest that was said."""


_DOUBTED: Final = "doubted "
"""Stands before the id of an answer against which something was said."""


class LastCheckEvent(NamedTuple):
    """The last answer to a check: a row of the table."""

    check_id: str
    answer: str
    event_id: str
    at: float
    revision: int


def prepare(connection: sqlite3.Connection) -> None:
    """Make the table, or give one of before its new column."""
    connection.execute(TABLE)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(said_check)")]
    if "revision" not in columns:
        connection.execute("ALTER TABLE said_check ADD COLUMN revision INTEGER NOT NULL DEFAULT 0")


def with_event_ids(
    connection: sqlite3.Connection, events: Sequence[PlantEvent], unkept: Mapping[str, LastCheckEvent]
) -> tuple[list[PlantEvent], list[LastCheckEvent]]:
    """Give each answer to a check that follows another one an id of its own.

    Args:
        connection: of the file that has the table.
        events: what the line says, in its order, each with the id that `plant_event` gives it.
        unkept: what was last said of some checks and is not kept yet, by their ids.

    Returns:
        The events that are not out of date, and what was last said of their checks, to be kept in one step (`keep`).
    """
    last: dict[str, LastCheckEvent | None] = {}
    numbered = []
    for event in events:
        if (check_id := _bears_on(event)) is None:
            numbered.append(event)
            continue
        if check_id not in last:
            last[check_id] = unkept.get(check_id) or _last(connection, check_id)
        before = last[check_id]
        if before is not None and _is_overtaken(event, before.revision):
            continue
        if not isinstance(event.data, CheckAnswer):
            numbered.append(event)
            if before is not None and before.revision and not before.answer.startswith(_DOUBTED):
                last[check_id] = before._replace(answer=_DOUBTED + before.answer)
            continue
        answer, event_id = event.id, _id_after(before, event.id)
        if before is not None and _repeats(event.id, event.data.revision, before):
            answer, event_id = before.answer, before.event_id
        last[check_id] = LastCheckEvent(check_id, answer, event_id, event.time.timestamp(), event.data.revision)
        numbered.append(event.model_copy(update={"id": event_id}))
    return numbered, [one for one in last.values() if one is not None]


def keep(connection: sqlite3.Connection, last_events: Sequence[LastCheckEvent]) -> None:
    """Remember what was last said of some checks."""
    connection.executemany("INSERT OR REPLACE INTO said_check VALUES (?, ?, ?, ?, ?)", last_events)


def forget(connection: sqlite3.Connection, before: float) -> None:
    """Remember no more what was last said before a time, in seconds since the epoch."""
    connection.execute("DELETE FROM said_check WHERE at < ?", (before,))


def forget_numbers(connection: sqlite3.Connection) -> None:
    """Have no answer be out of date by those so far, and the next one of each check be a new event."""
    connection.execute("UPDATE said_check SET revision = 0, answer = ? || answer", (_DOUBTED,))


def _last(connection: sqlite3.Connection, check_id: str) -> LastCheckEvent | None:
    row = connection.execute(
        "SELECT check_id, answer, event_id, at, revision FROM said_check WHERE check_id = ?", (check_id,)
    ).fetchone()
    return None if row is None else LastCheckEvent(*row)


def _bears_on(event: PlantEvent) -> str | None:
    """The check of an answer to one, or of what is said against one."""
    match event.data:
        case VerdictAnswer(outcome="intact"):
            return None
        case CheckAnswer(check_id=check_id) | Hold(check_id=check_id) | VerdictAnswer(check_id=check_id):
            return str(check_id)
    return None


def _is_overtaken(event: PlantEvent, revision: int) -> bool:
    """Whether what is said of a check is out of date, once its answer of a revision was said."""
    match event.data:
        case CheckAnswer() as check:
            return check.is_overtaken_by(revision)
        case Hold(revision=int(known)):
            return known < revision
    return False


def _repeats(answer: str, revision: int, before: LastCheckEvent) -> bool:
    """Whether an answer is the last one once more."""
    return before.answer == answer or (before.answer == _DOUBTED + answer and before.revision == revision)


def _id_after(before: LastCheckEvent | None, answer: str) -> str:
    if before is None:
        return answer
    return hashlib.sha256(f"{answer} after {before.event_id}".encode()).hexdigest()[:32]
