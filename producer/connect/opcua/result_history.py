"""What our OPC UA server can be asked again: the results that stand in the delivery log as delivered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from producer.connect.opcua.result import COMPLETED, FAILED
from producer.contract.plant_event import PLANT_EVENTS, PlantEvent
from producer.files.sqlite_file import SqliteFile

LISTED: Final = 24 * 3600.0
"""Seconds for which a result is listed; by its id it is found for as long as the log remembers it."""

MOST_LISTED: Final = 1_000
"""Results of one answer; whoever wants more asks on from where it ended."""

Field = Literal["state", "part", "measurement", "job", "recipe", "operation", "configuration"]

# How each field of producer.connect.opcua.result.Result is found in an event.
_WHERE: Final[Mapping[Field, str]] = {
    "state": "CASE WHEN json_extract(event, '$.data.kind') = 'fault' OR json_extract(event, '$.data.refused') NOTNULL"
    f" THEN {FAILED} ELSE {COMPLETED} END",
    "part": "json_extract(event, '$.data.machine') || '/' || json_extract(event, '$.data.head')",
    "measurement": "json_extract(event, '$.data.capture_id')",
    "job": "json_extract(event, '$.data.check_id')",
    "recipe": "json_extract(event, '$.data.kind')",
    "operation": "json_extract(event, '$.data.operation')",
    "configuration": "json_extract(event, '$.data.model')",
}


class ResultHistory:
    """The results of one sink, read from the delivery log; safe to use from several threads."""

    def __init__(self, log: Path, sink: str):
        """
        Args:
            log: the delivery log's file, which is there.
            sink: whose deliveries.

        Raises:
            sqlite3.Error: the file cannot be opened.
        """
        self._file = SqliteFile(log, "delivery log", lambda _: None)
        self._sink = sink

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def by_id(self, result_id: str) -> PlantEvent | None:
        """The event of that id, if the log remembers it.

        Raises:
            sqlite3.Error: the log cannot be read.
        """
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT event FROM delivery WHERE sink = ? AND event_id = ? AND state = 'delivered'",
                (self._sink, result_id),
            ).fetchone()
        return None if row is None else PLANT_EVENTS.validate_json(row[0])

    def listed(self, wanted: Mapping[Field, str | int], start: int, most: int) -> tuple[list[PlantEvent], bool]:
        """Results of the last day that say all that is `wanted`, the newest first, and whether there are no more.

        While new ones come, some of a list that is asked for piece by piece come twice; none is left out.

        Args:
            wanted: values by field.
            start: how many to leave out.
            most: how many at most; never more than `MOST_LISTED`.

        Raises:
            sqlite3.Error: the log cannot be read.
        """
        most = min(most, MOST_LISTED)
        conditions = "".join(f" AND ({_WHERE[field]}) = ?" for field in wanted)
        query = (
            "SELECT event FROM delivery WHERE state = 'delivered' AND ended_at >= ? AND sink = ?"  # noqa: S608
            f"{conditions} ORDER BY number DESC LIMIT ? OFFSET ?"
        )
        values = (time.time() - LISTED, self._sink, *wanted.values(), most + 1, start)
        with self._file.reading() as connection:
            rows = connection.execute(query, values).fetchall()
        return [PLANT_EVENTS.validate_json(row[0]) for row in rows[:most]], len(rows) <= most
