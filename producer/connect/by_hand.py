"""What others have done with single deliveries, by the ids of their events: told once more, or given up."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

_AGAIN = "UPDATE delivery SET state = 'waiting', attempts = 0, next_at = ?, ended_at = NULL WHERE number = ?"
_GIVEN_UP = "UPDATE delivery SET state = 'given up', ended_at = ? WHERE number = ?"


def replay(connection: sqlite3.Connection, sink: str, event_ids: Collection[str], now: float) -> int:
    """Have these events told to `sink` once more; how many they are.

    Raises:
        ValueError: one of them is not known; the transaction is to be undone.
    """
    numbers = _numbers(connection, sink, event_ids)
    connection.executemany(_AGAIN, [(now, number) for number in numbers])
    return len(numbers)


def give_up(connection: sqlite3.Connection, sink: str, event_ids: Collection[str], now: float) -> int:
    """Have these waiting events tried no more; how many they are.

    Raises:
        ValueError: one of them does not wait; the transaction is to be undone.
    """
    numbers = _numbers(connection, sink, event_ids, waiting=True)
    connection.executemany(_GIVEN_UP, [(now, number) for number in numbers])
    return len(numbers)


def tell_again(connection: sqlite3.Connection, event_ids: Collection[str], now: float) -> None:
    """Have whoever was told these events told them once more; those that wait, or are not known, stay as they are."""
    rows = connection.execute(
        "SELECT number FROM delivery WHERE state != 'waiting' AND event_id IN (SELECT value FROM json_each(?))",
        (json.dumps([*event_ids]),),
    )
    connection.executemany(_AGAIN, [(now, number) for [number] in rows.fetchall()])


def _numbers(
    connection: sqlite3.Connection, sink: str, event_ids: Collection[str], *, waiting: bool = False
) -> list[int]:
    """The deliveries of these events to `sink`, each once."""
    rows = connection.execute(
        "SELECT event_id, number FROM delivery WHERE sink = ?1 AND (NOT ?2 OR state = 'waiting')"
        " AND event_id IN (SELECT value FROM json_each(?3))",
        (sink, waiting, json.dumps([*event_ids])),
    )
    known: dict[str, int] = dict(rows.fetchall())
    unknown = next((event_id for event_id in event_ids if event_id not in known), None)
    if unknown is not None:
        raise ValueError(
            f"{sink} has no event {unknown}{' that waits' if waiting else ''}, so nothing was changed: "
            "`insert-station connect deliveries` lists them"
        )
    return [*known.values()]
