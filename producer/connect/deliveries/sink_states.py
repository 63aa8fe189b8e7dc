"""How each sink is doing, in the delivery log's file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Final

from producer.contract.connector_report import SinkState
from producer.contract.plant_event import PLANT_EVENTS

TABLE: Final = """
CREATE TABLE IF NOT EXISTS sink (
    name      TEXT PRIMARY KEY,
    up        INTEGER NOT NULL,
    problem   TEXT,
    since     REAL NOT NULL,
    disabled  INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    last_at   REAL
) WITHOUT ROWID;
"""


def set_up(connection: sqlite3.Connection, sink: str, up: bool, problem: str | None, now: float) -> None:
    """Note whether `sink` is up, and since when."""
    connection.execute(
        "INSERT INTO sink (name, up, problem, since) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " since = CASE WHEN up = excluded.up THEN since ELSE excluded.since END, up = excluded.up,"
        " problem = excluded.problem",
        (sink, up, problem, now),
    )


def keep_only(connection: sqlite3.Connection, sinks: Collection[str]) -> None:
    """Say no more how others are doing."""
    names = json.dumps([*sinks])
    connection.execute("DELETE FROM sink WHERE name NOT IN (SELECT value FROM json_each(?))", (names,))


def states(connection: sqlite3.Connection) -> list[SinkState]:
    """How each sink is doing that is configured, by name."""
    rows = connection.execute(
        "SELECT name, up, coalesce(sink.problem, first.problem), since, disabled,"
        " (SELECT count(*) FROM delivery WHERE sink = name AND state = 'waiting'), first.event,"
        " (SELECT count(*) FROM delivery WHERE sink = name AND state = 'given up'), delivered, last_at"
        " FROM sink LEFT JOIN delivery AS first ON number ="
        " (SELECT min(number) FROM delivery WHERE sink = name AND state = 'waiting') ORDER BY name"
    ).fetchall()
    return [
        SinkState(
            name=name,
            up=bool(up),
            problem=problem,
            since=since,
            disabled=bool(disabled),
            waiting=waiting,
            oldest=None if oldest is None else PLANT_EVENTS.validate_json(oldest).time.timestamp(),
            given_up=given_up,
            delivered=delivered,
            last_at=last_at,
        )
        for name, up, problem, since, disabled, waiting, oldest, given_up, delivered, last_at in rows
    ]
