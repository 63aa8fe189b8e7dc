"""The time since this computer started: a clock that nobody sets, and that processes have in common.

Which photographs belong together is a matter of minutes. A computer's time of day may be years off, step, or be the
same after each start where there is no battery; this cannot.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_OF_THIS_PROCESS: Final = uuid.uuid4().hex


@dataclass(frozen=True)
class Moment:
    """A moment: `seconds` since the start that is called `boot`, the time that the computer slept included."""

    boot: str
    seconds: float

    @classmethod
    def now(cls) -> Moment:
        """Return this moment. Where the system does not name its start, each process has one of its own."""
        try:
            boot = _BOOT_ID.read_text("ascii").strip()
        except OSError:
            return cls(_OF_THIS_PROCESS, time.monotonic())
        return cls(boot, time.clock_gettime(time.CLOCK_BOOTTIME))

    @classmethod
    def read(cls, text: str) -> Moment:
        """Return the moment that was written as `str` does.

        Raises:
            ValueError: it is none.
        """
        boot, _, seconds = text.partition(" ")
        return cls(boot, float(seconds))

    def since(self, earlier: Moment) -> float | None:
        """Return the seconds from an earlier moment to this one; None where another start lies between them."""
        return self.seconds - earlier.seconds if self.boot == earlier.boot else None

    def __str__(self) -> str:
        return f"{self.boot} {self.seconds!r}"  # rounded it might lie ahead
