"""Whether the connector knows what the line says: read to its end, and heard since.

A system must not believe what it was told last while nobody knows whether the line has said otherwise.
"""

from __future__ import annotations

import threading


class Hearing:
    """How the connector hears the line: in spells, between which it may have missed what was said.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        """It is not heard yet."""
        self._lock = threading.Lock()
        self._spells = 0
        self._hears = False

    @property
    def spell(self) -> int | None:
        """Which spell this is, the first is 1; None while the line is not heard."""
        with self._lock:
            return self._spells if self._hears else None

    def begins(self) -> None:
        """All that the line has said is read: what is shown from now on holds."""
        with self._lock:
            self._spells += not self._hears
            self._hears = True

    def ends(self) -> None:
        """What the line says is not known any more."""
        with self._lock:
            self._hears = False
