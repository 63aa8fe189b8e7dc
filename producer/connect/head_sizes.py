"""How many pockets each head has, as far as the line has spoken of them: a table of the delivery log.

A check of one photograph says nothing of the other pockets. So where a head has others its `go` is none of the head,
also where nothing else is known of it any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.plant_event import PlantEvent
from producer.files.sqlite_file import SqliteFile

TABLE: Final = """
CREATE TABLE IF NOT EXISTS head (name TEXT PRIMARY KEY, pockets INTEGER NOT NULL) WITHOUT ROWID;
"""


class HeadSizes:
    """The heads of a delivery log; safe to use from several threads."""

    def __init__(self, file: SqliteFile):
        """Of the log in `file`, which has the table."""
        self._file = file
        with file.reading() as connection:
            self._known: dict[str, int] = dict(connection.execute("SELECT name, pockets FROM head").fetchall())

    def of(self, head: str) -> int:
        """How many pockets a head has at least, by its `PlantEvent.order`; 0 where none was ever spoken of."""
        return self._known.get(head, 0)

    def hear(self, events: Iterable[PlantEvent]) -> None:
        """Take in what the line says.

        Raises:
            sqlite3.Error: it could not be stored.
        """
        larger: dict[str, int] = {}
        for event in events:
            pocket = highest_pocket(event)
            if pocket > max(self.of(event.order), larger.get(event.order, 0)):
                larger[event.order] = pocket
        if larger:
            with self._file.transaction() as connection:
                connection.executemany("INSERT OR REPLACE INTO head VALUES (?, ?)", larger.items())
            self._known |= larger


def highest_pocket(event: PlantEvent) -> int:
    """The highest pocket of its head that an event is known to be of; 0 of what is of none."""
    match event.data:
        case VerdictAnswer(pocket=pocket):
            return pocket
        case CheckAnswer(size=size) as check:
            return size if size > 1 else max(named_pockets(check), default=1)
    return 0


def named_pockets(check: CheckAnswer) -> set[int]:
    """The pockets that an answer names."""
    return {*check.replace, *check.review}
