"""Notes photographs that lie in the future, while it is still known: a clock that was ahead is soon set right."""

from __future__ import annotations

from typing import Final

from db.engine.database import Database
from db.line import captures_ahead
from producer.runtime.periodic import Periodic

LOOK_EVERY: Final = 5.0
"""Seconds between two looks."""


class CapturesAheadWatch(Periodic):
    """Looks for them every few seconds, from entering the block to its end; several workers may do so at once."""

    def __init__(self, database: Database) -> None:
        super().__init__(
            LOOK_EVERY, name="captures-ahead", failure="photographs of the future were not noted", at_once=True
        )
        self._database = database

    def turn(self) -> None:
        """Note what lies ahead now.

        Raises:
            DatabaseUnavailable: the database is away; the next look is soon.
        """
        with self._database.reading() as session:
            ahead = captures_ahead.unnoted(session)
        captures_ahead.note(self._database, ahead)
