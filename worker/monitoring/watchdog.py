"""Ends a process that does not come to its end in time after it was told to stop.

Its children end with it. What was in hand is redelivered, by the station or by Redis.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Final

import structlog

from producer.runtime.periodic import Periodic
from worker.monitoring.process_state import ProcessState

log = structlog.get_logger()

TOO_SLOW_TO_STOP: Final = 75
"""Exit code of a worker that did not finish within its grace time (EX_TEMPFAIL of sysexits.h)."""


class Watchdog(Periodic):
    """Looks after one process: ends it where it cannot end itself."""

    def __init__(self, state: ProcessState, grace: float):
        """Allow `grace` seconds from being told to stop to the end, or a tenth more."""
        super().__init__(min(1.0, grace / 10), name="watchdog", failure="the watchdog could not look")
        self._state = state
        self._grace = grace

    def turn(self) -> None:
        """End the process where the time is over."""
        stopping = self._state.stopping_since
        if stopping is not None and time.monotonic() - stopping > self._grace:
            in_hand = self._state.in_hand
            log.critical("not finished in time, the worker ends", grace=self._grace, in_hand=in_hand)
            sys.stderr.flush()
            # Not sys.exit: what hangs would be waited for.
            os._exit(TOO_SLOW_TO_STOP)
