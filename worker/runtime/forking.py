"""A log that a process with threads can fork with."""

from __future__ import annotations

import os
import sys
import threading

import structlog


def keep_log_usable() -> None:
    """Have forks wait for the line that a thread is logging; the child would wait for that thread for ever."""
    lock: threading.Lock = structlog.PrintLogger(sys.stderr)._lock
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
