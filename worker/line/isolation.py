"""Isolation of poison images: a capture that was in hand when a worker died is judged alone.

An image that crashes the process takes with it every other capture that is in hand. So a capture that was tried before
without coming to an end is tried again with nothing else under way: then only the guilty one uses up its attempts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MAX_ATTEMPTS: Final = 3
"""How often judging a capture is tried; then it is a fault."""


class Isolation:
    """A lock held by many threads together, or by one alone; a thread that wants it alone precedes later ones."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = 0
        self._alone = False
        self._want_alone = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Hold the lock beside others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not self._want_alone)
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock alone."""
        with self._changed:
            self._want_alone += 1
            self._changed.wait_for(lambda: not self._alone and not self._together)
            self._want_alone -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
