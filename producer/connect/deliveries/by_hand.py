"""Changes by hand: events are sent again, given up or settled, and heads that are gone are forgotten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Final

from producer.files.sqlite_file import SqliteFile

_AGAIN = "UPDATE delivery SET state = 'waiting', attempts = 0, next_at = ?, ended_at = NULL WHERE number = ?"
_GIVEN_UP = "UPDATE delivery SET state = 'given up', ended_at = ? WHERE number = ?"
_PUT_AWAY = "UPDATE delivery SET state = 'put away' WHERE number = ?"
_OF_HEAD = "json_extract({0}, '$.data.machine') = ?1 AND json_extract({0}, '$.data.head') = ?2"
_SHOWN = "CASE WHEN text LIKE '{%' THEN text ELSE substr(text, instr(text, ' ') + 1) END"

_WHICH: Final = {"waiting": " that waits", "given up": " that is given up"}


class ByHand:
    """The hands at a delivery log; safe to use from several threads."""

    def __init__(self, file: SqliteFile):
        """Of the log in `file`."""
        self._file = file

    def replay(self, sink: str, event_ids: Collection[str], now: float) -> int:
        """Send these events to `sink` once more, from the next moment on; how many they are.

        Raises:
            ValueError: one of them is not known; none is sent then.
        """
        with self._file.transaction() as connection:
            numbers = _numbers(connection, sink, event_ids)
            connection.executemany(_AGAIN, [(now, number) for number in numbers])
        return len(numbers)

    def give_up(self, sink: str, event_ids: Collection[str], now: float) -> int:
        """Try these waiting events no more, so that those behind them go on; how many they are.

        Raises:
            ValueError: one of them does not wait; none is given up then.
        """
        with self._file.transaction() as connection:
            numbers = _numbers(connection, sink, event_ids, state="waiting")
            connection.executemany(_GIVEN_UP, [(now, number) for number in numbers])
        return len(numbers)

    def put_away(self, sink: str, event_ids: Collection[str]) -> int:
        """Settle these given-up events, so that they no longer count; return how many. Unknown states stay unknown.

        Raises:
            ValueError: one of them is not given up; none is put away then.
        """
        with self._file.transaction() as connection:
            numbers = _numbers(connection, sink, event_ids, state="given up")
            connection.executemany(_PUT_AWAY, [(number,) for number in numbers])
        return len(numbers)

    def tell_again(self, event_ids: Collection[str], now: float) -> None:
        """Send these events again to the sinks that had them; those that wait, or are unknown, stay as they are."""
        query = "SELECT number FROM delivery WHERE state != 'waiting' AND event_id IN (SELECT value FROM json_each(?))"
        with self._file.transaction() as connection:
            rows = connection.execute(query, (json.dumps([*event_ids]),)).fetchall()
            connection.executemany(_AGAIN, [(now, number) for [number] in rows])

    def forget_head(self, machine: str, head: str) -> None:
        """Forget what was sent of a head, so that the next start removes what is shown of it.

        Waiting events are still sent.

        Raises:
            ValueError: nothing is known of it.
        """
        shown, event = _OF_HEAD.format(_SHOWN), _OF_HEAD.format("event")
        unknown = f"state IN ('given up', 'put away') AND {event}"
        with self._file.transaction() as connection:
            count = sum(
                connection.execute(f"DELETE FROM {table} WHERE {where}", (machine, head)).rowcount  # noqa: S608
                for table, where in (("shown", shown), ("delivery", unknown))
            )
            if not count:
                raise ValueError(f"nothing is known of {machine} {head}, so nothing was changed: is that its name?")


def _numbers(
    connection: sqlite3.Connection, sink: str, event_ids: Collection[str], *, state: str | None = None
) -> list[int]:
    """The deliveries of these events to `sink`, each once; all of them in one state, if that is given."""
    rows = connection.execute(
        "SELECT event_id, number FROM delivery WHERE sink = ?1 AND (?2 IS NULL OR state = ?2)"
        " AND event_id IN (SELECT value FROM json_each(?3))",
        (sink, state, json.dumps([*event_ids])),
    )
    known: dict[str, int] = dict(rows.fetchall())
    unknown = next((event_id for event_id in event_ids if event_id not in known), None)
    if unknown is not None:
        which = "" if state is None else _WHICH[state]
        raise ValueError(
            f"{sink} has no event {unknown}{which}, so nothing was changed: "
            "`insert-station connect deliveries` lists them"
        )
    return [*known.values()]
