"""Saying that something is away or refuses: once for each reason, not at each look, and once more when it is over."""

from __future__ import annotations

import threading

import structlog

log = structlog.get_logger()


class OutageLog:
    """Logs the outages of one thing; safe to use from several threads."""

    def __init__(self, begun: str, over: str):
        """How the log says that it has begun, and that it is over."""
        self._begun = begun
        self._over = over
        self._logged: set[str] = set()
        self._lock = threading.Lock()

    def begins(self, reason: str) -> None:
        """It is away, or refuses, for this reason: said once until it is over."""
        with self._lock:
            if reason in self._logged:
                return
            self._logged.add(reason)
        log.warning(self._begun, problem=reason)

    def ends(self) -> None:
        """It works; said where it did not before."""
        with self._lock:
            if not self._logged:
                return
            self._logged.clear()
        log.info(self._over)
