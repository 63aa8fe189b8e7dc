"""Whether the connector knows what the line says: the plant's stream was read to its end a moment ago.

What systems show is known only if a worker looked for news besides (`producer.contract.news_look`).

A system must not believe what it was told last while nobody knows whether the line has said otherwise. So what is known
is known for some seconds only, and ends by itself: also where the process was held, or where its disk hangs.
"""

from __future__ import annotations

import threading
import time
from typing import Final

VOUCHED_FOR: Final = 10.0
"""Seconds for which is known what the line says, once it was read to its end. A Redis that is started anew is back
sooner; a PLC that holds a head because nobody beats for twenty seconds hears of no beat before all is read."""


UNREAD: Final = "what the line says cannot be read"
"""Why it is not known, where nobody says why: the last reading is too long ago."""


def now() -> float:
    """Seconds by a clock that nobody sets, and that goes on while the machine sleeps, where there is one."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class StreamFreshness:
    """The spells in which the connector reads without a break; between two it may have missed something.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        """It is not heard yet."""
        self._lock = threading.Lock()
        self._spells = 0
        self._known_at: float | None = None
        self.problem = UNREAD
        """Why it is not known, while it is not."""

    @property
    def spell(self) -> int | None:
        """Which spell this is, the first is 1; None while the line is not heard."""
        with self._lock:
            return self._spells if self._hears() else None

    def heard(self, moment: float) -> None:
        """All that the line had said by `moment` (of `now`) is read and kept: what is shown from now on holds."""
        with self._lock:
            self._spells += not self._hears()
            self._known_at = moment
            self.problem = UNREAD

    def ends(self, why: str = UNREAD) -> None:
        """What the line says is not known any more."""
        with self._lock:
            self._known_at = None
            self.problem = why

    def _hears(self) -> bool:
        return self._known_at is not None and now() - self._known_at <= VOUCHED_FOR
