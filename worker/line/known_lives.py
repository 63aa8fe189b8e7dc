"""How long inserts last, as one process knows it: the last fit of a head, read again every minute."""

from __future__ import annotations

import time
from typing import Final

from db.engine.database import Database, is_unavailable
from db.learning import remaining_lives
from db.learning.remaining_lives import RemainingLife
from db.line.verdicts import Verdict
from producer.contract.answers import Remaining
from producer.contract.event import CaptureEvent
from producer.contract.places import HeadPlace

FRESH_FOR: Final = 60.0
"""Seconds for which a head is not looked up again."""

HEADS: Final = 1_000
"""How many heads are kept; with one more all are looked up again."""


class KnownLives:
    """Says how long the insert that a capture shows still lasts; one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._heads: dict[HeadPlace, tuple[float, dict[int, RemainingLife]]] = {}

    def of(self, event: CaptureEvent, verdict: Verdict) -> Remaining | None:
        """How long it lasts; None where that is not known.

        It is known for intact inserts whose operations the station counts; a count that has fallen is another insert's.
        """
        if verdict.outcome != "intact" or event.operations_on_edge is None:
            return None
        fitted = self._head(event.machine, event.head).get(event.pocket)
        life = None if fitted is None else fitted.at(event.operations_on_edge)
        if life is None:
            return None
        return Remaining(operations=life.operations, low=life.low, high=life.high, lives=life.lives)

    def _head(self, machine: str, head: str) -> dict[int, RemainingLife]:
        name, now = (machine, head), time.monotonic()
        read_at, lives = self._heads.get(name, (-FRESH_FOR, {}))
        if now - read_at < FRESH_FOR:
            return lives
        try:
            with self._database.reading() as session:
                lives = remaining_lives.of_head(session, machine, head)
        except Exception as error:  # the answer does not wait for it; a minute later it is asked again
            if not is_unavailable(error):
                raise
        if len(self._heads) >= HEADS:
            self._heads.clear()
        self._heads[name] = now, lives
        return lives
