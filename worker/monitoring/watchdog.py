"""Ends a worker that cannot end itself: a forward pass that hangs, a shutdown that takes too long.

Celery's own time limits need a process for each task; its thread pool ignores them. What was in hand is redelivered,
by the station or by Redis, and the supervisor starts the worker again.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from typing import Final

import structlog

from worker.monitoring.process_state import ProcessState
from worker.runtime.periodic import Periodic

log = structlog.get_logger()

HUNG: Final = 70
"""Exit code of a worker whose forward pass hung (EX_SOFTWARE of sysexits.h)."""

TOO_SLOW_TO_STOP: Final = 75
"""Exit code of a worker that did not finish within its grace time (EX_TEMPFAIL of sysexits.h)."""


class Watchdog(Periodic):
    """Looks after one process: ends it where it cannot end itself."""

    def __init__(self, state: ProcessState, forward_timeout: float, grace: float):
        """Allow a forward pass `forward_timeout` seconds, and `grace` seconds from being told to stop to the end.

        Both are checked ten times in their course, so the end comes at most a tenth later.
        """
        super().__init__(
            min(1.0, forward_timeout / 10, grace / 10), name="watchdog", failure="the watchdog could not look"
        )
        self._state = state
        self._forward_timeout = forward_timeout
        self._grace = grace

    def turn(self) -> None:
        """End the process where one of the two limits is passed."""
        now = time.monotonic()
        forward, stopping = self._state.forward_since, self._state.stopping_since
        if forward is not None and now - forward > self._forward_timeout:
            log.critical("the forward pass hangs, the worker ends", seconds=round(now - forward, 1), code=HUNG)
            faulthandler.dump_traceback(sys.stderr)
            _end(HUNG)
        if stopping is not None and now - stopping > self._grace:
            in_hand = self._state.in_hand
            log.critical("not finished in time, the worker ends", grace=self._grace, in_hand=in_hand)
            _end(TOO_SLOW_TO_STOP)


def _end(code: int) -> None:
    sys.stderr.flush()
    # Not sys.exit: the threads that hang would be waited for.
    os._exit(code)
