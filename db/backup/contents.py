"""What a backup holds, counted, and what is said where one cannot be made or restored."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, inspect, text

from db.engine.database import engine_for
from db.engine.url import sqlite_file

MAIN_TABLES: Final = (
    "checks", "captures", "verdicts", "reviews", "snapshots", "snapshot_items", "models", "promotions", "faults",
    "accounts", "audit", "insert_changes",
)  # fmt: skip
"""The tables whose rows the manifest counts, as far as the schema has them."""


class BackupError(ValueError):
    """A backup cannot be made or restored; the message says why and what to do."""


def rows_of(url: str) -> dict[str, int]:
    """How many rows the main tables have that are there; none where there is no database."""
    path = sqlite_file(url)
    if path is not None and not path.exists():
        return {}
    with engine_for(url, reads_only=True) as engine, engine.connect() as connection:
        return count_rows(connection)


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows the main tables have that are there."""
    there = set(inspect(connection).get_table_names())
    # The names are ours, from the list above.
    return {
        name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0  # noqa: S608
        for name in MAIN_TABLES
        if name in there
    }
