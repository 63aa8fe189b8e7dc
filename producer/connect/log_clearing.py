"""Clears the delivery log, every ten minutes, of what was delivered long ago, or waits beyond the limit."""

from __future__ import annotations

import math
import time
from typing import Final

import structlog

from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.missed_answers import MissedAnswers

log = structlog.get_logger()

CLEAR_EVERY: Final = 600.0
"""Seconds between two clearings."""


class LogClearing:
    """Used by the one thread that reads the line's answers."""

    def __init__(self, deliveries: DeliveryLog, missed: MissedAnswers, limit: int):
        """Nothing was cleared yet; of each system the newest events wait, as many as `limit`."""
        self._deliveries = deliveries
        self._missed = missed
        self._limit = limit
        self._cleared_at = -math.inf

    def clear(self, position: str) -> None:
        """Clear the log if it is time; `position` is up to where the line's answers are in it.

        Raises:
            sqlite3.Error: the log cannot be written.
        """
        if time.monotonic() - self._cleared_at <= CLEAR_EVERY:
            return
        self._deliveries.forget(time.time())
        for sink, count in self._deliveries.forget_oldest(self._limit).items():
            self._deliveries.keep({}, self._missed.known_from(position))
            log.error(
                "a system is away for too long: the oldest that waited for it is in the database alone",
                sink=sink,
                events=count,
                limit=self._limit,
                hint="`insert-db verdicts --since` has them; take a system out of the file that is there no more",
            )
        self._cleared_at = time.monotonic()
