"""How long a file must show the same before it is taken, and for how long it has: looks at it are compared."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from producer.station.time_since_boot import Moment

SETTLED_AFTER: Final = 2.0
"""Seconds that a file must show the same before it is taken; cameras write in bursts."""

DOUBT_FOR: Final = 60.0
"""Seconds that a file is waited for which shows the same and yet does not seem whole. Then it is handed in as it is:
the worker says what is wrong with it, and its check comes to an end."""


_SECOND: Final = 10**9


@dataclass(frozen=True)
class Look:
    """What one look at a file shows. Between two equal looks there is no trace of a writer.

    The times are the file server's and are compared with each other only. `changed` is that of the last change of
    any kind (`st_ctime`), which no copying program sets: it moves on even where a writer keeps size and `mtime`.
    """

    size: int
    mtime: int
    changed: int
    inode: int

    @classmethod
    def at(cls, status: os.stat_result) -> Look:
        """Take the look that `status` is."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    @property
    def is_dated(self) -> bool:
        """Whether its time of the last change tells of every change: not one in whole seconds, as of a FAT card, sshfs,
        or a server that knows one time of a file, or none."""
        return self.changed % _SECOND != 0


def still_for(looks: Iterable[Look], settled_after: float) -> float:
    """How many seconds are left until the youngest of these files has shown the same for `settled_after`.

    By its time of the last change: so the files must be of this computer, whose clock gave it. One in the future was
    given by a clock that was set back since, and one from before the computer's start may have been given by a clock
    that was set forward since, as it is at a start: these tell nothing.
    """
    now, up = time.time_ns(), Moment.now().seconds
    ages = ((now - look.changed) / 1e9 for look in looks)
    return max(settled_after - min((age if 0 <= age <= up else 0.0 for age in ages), default=settled_after), 0.0)


class Changing(Exception):
    """A file is not as it was when it was looked at: somebody writes it, or replaced it."""


@dataclass
class _Seen:
    look: Look
    since: float
    first: float


class Stillness:
    """For how long each file has shown the same, by this computer's own clock that never steps (`time.monotonic`)."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Seen] = {}

    def seconds(self, path: Path, look: Look, now: float) -> float:
        """For how many seconds of `now`'s clock a file has looked as it does; 0.0 at the first look."""
        seen = self._seen.get(path)
        if seen is None or seen.look != look:
            self._seen[path] = _Seen(look, now, now if seen is None else seen.first)
            return 0.0
        return now - seen.since

    def watched(self, path: Path, now: float) -> float:
        """For how many seconds of `now`'s clock a file has been looked at, changing or not."""
        return now - self._seen[path].first

    def forget(self, path: Path) -> None:
        """Restart the count for a file."""
        self._seen.pop(path, None)

    def keep(self, paths: Collection[Path]) -> None:
        """Forget all files but these."""
        self._seen = {path: seen for path, seen in self._seen.items() if path in paths}
