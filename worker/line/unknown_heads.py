"""Counts photographs that could not be used and name no head that is known, for `insert-worker health`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from db.engine import clock
from db.engine.database import Database
from db.queries.head_overview import STALE_MINUTES
from db.queries.line_status import of_no_known_head
from producer.runtime.periodic import Periodic
from worker.monitoring.line_state import LineState

LOOK_EVERY: Final = 30.0
"""Seconds between two looks."""


class UnknownHeadsWatch(Periodic):
    """Looks for them from entering the block to its end: each may be of any head, which other systems are not told."""

    def __init__(self, database: Database, state: LineState) -> None:
        super().__init__(
            LOOK_EVERY, name="unknown-heads", failure="faults without a head were not counted", at_once=True
        )
        self._database = database
        self._state = state

    def turn(self) -> None:
        """Count those of the last hour.

        Raises:
            DatabaseUnavailable: the database is away; the next look is soon.
        """
        with self._database.reading() as session:
            since = clock.latest(session) - timedelta(minutes=STALE_MINUTES)
            self._state.of_no_known_head, _ = of_no_known_head(session, since)
