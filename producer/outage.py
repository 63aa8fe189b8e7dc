"""Saying that something is away or refuses: once for each reason, not at each look, and once more when it is over."""

from __future__ import annotations

import threading

import structlog

log = structlog.get_logger()


class Outage:
    """What is known of the present outage of one thing; safe to use from several threads."""

    def __init__(self, what: str):
        """``what`` is the thing's name in the log: Redis, the database."""
        self._what = what
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def begins(self, reason: str) -> None:
        """It is away, or refuses, for this reason: said once until it is over."""
        with self._lock:
            if reason in self._told:
                return
            self._told.add(reason)
        log.warning(f"{self._what} is away, waiting", problem=reason)

    def ends(self) -> None:
        """It works; said where it did not before."""
        with self._lock:
            if not self._told:
                return
            self._told.clear()
        log.info(f"{self._what} is back")
