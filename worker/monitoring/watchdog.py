"""Ends a worker that cannot end itself: a forward pass that hangs, a stop that takes too long.

Celery's own time limits need a process for each task; its thread pool ignores them. What was in hand comes again, by
the station's resend or by Redis, and the supervisor starts the worker again.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from typing import Final

import structlog

from worker.monitoring.process_state import Vitals

log = structlog.get_logger()

HUNG: Final = 70
"""Exit code of a worker whose forward pass hung (EX_SOFTWARE of sysexits.h)."""

TOO_SLOW_TO_STOP: Final = 75
"""Exit code of a worker that did not finish within its grace time (EX_TEMPFAIL of sysexits.h)."""


class Watchdog:
    """Looks after one worker from a thread of its own, between `with` and the end of its block."""

    def __init__(self, vitals: Vitals, forward_timeout: float, grace: float):
        """Allow a forward pass `forward_timeout` seconds, and `grace` seconds from being told to stop to the end.

        Both are looked at ten times in their course, so the end comes at most a tenth later.
        """
        self._vitals = vitals
        self._forward_timeout = forward_timeout
        self._grace = grace
        self._off = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._off.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._off.wait(min(1.0, self._forward_timeout / 10, self._grace / 10)):
            now = time.monotonic()
            forward, stopping = self._vitals.forward_since(), self._vitals.stopping_since
            if forward is not None and now - forward > self._forward_timeout:
                log.critical("the forward pass hangs, the worker ends", seconds=round(now - forward, 1), code=HUNG)
                faulthandler.dump_traceback(sys.stderr)
                _end(HUNG)
            if stopping is not None and now - stopping > self._grace:
                in_hand = self._vitals.in_hand
                log.critical("not finished in time, the worker ends", grace=self._grace, in_hand=in_hand)
                _end(TOO_SLOW_TO_STOP)


def _end(code: int) -> None:
    sys.stderr.flush()
    # Not sys.exit: the threads that hang would be waited for.
    os._exit(code)
