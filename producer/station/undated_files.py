"""Files that stay where they were handed in, and of which nothing but their bytes tells that they were taken anew.

A share may know one time of a file only, in whole seconds, and a camera without a clock sets that to the same one for
each photograph: bitmaps of one size look alike then, whatever they show. So they are read again and again: all within
a minute, where that leaves the share half of its time for others.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

import structlog

from producer.station.settled_files import Look

log = structlog.get_logger()

READ_FOR: Final = 0.1
"""Seconds of each look at the folder that are spent on them at least; those that were read longest ago are the first.
"""

READ_FOR_MOST: Final = 1.0
"""Seconds of each look at most."""

ALL_WITHIN: Final = 60.0
"""Seconds in which all are read, if those suffice."""


class UndatedFiles:
    """What each such file held when it was read last."""

    def __init__(self) -> None:
        self._digests: dict[Path, bytes] = {}
        self._began: float | None = None
        self._read_for = READ_FOR
        self._is_late = self._said = False

    def remember(self, path: Path, look: Look, image: bytes) -> None:
        """Remember what a file that stays holds, if its look does not tell when it changes."""
        if not look.is_dated:
            self._digests[path] = hashlib.sha256(image).digest()

    def changed(self) -> list[Path]:
        """Read some of them, and forget and return those that hold something else."""
        began, changed, count = time.monotonic(), [], 0
        for path in [*self._digests]:
            count += 1
            digest = self._digests.pop(path)
            try:
                if hashlib.sha256(path.read_bytes()).digest() == digest:
                    self._digests[path] = digest  # behind the others
                else:
                    changed.append(path)
            except OSError:  # gone, or away for now
                self._digests[path] = digest
            if time.monotonic() > began + self._read_for:
                break
        if count:
            self._take_time(began, (time.monotonic() - began) / count)
        return changed

    def _take_time(self, began: float, seconds: float) -> None:
        """Read for longer from the next look on where else not all are read in time; so many seconds a file takes."""
        between = began - self._began if self._began is not None else 0.0
        self._began = began
        needed = len(self._digests) * seconds * between / ALL_WITHIN
        self._read_for = min(max(needed, READ_FOR), READ_FOR_MOST)
        was_late, self._is_late = self._is_late, needed > READ_FOR_MOST
        if was_late and self._is_late and not self._said:  # once alone the folder may have been away
            self._said = True
            log.warning(
                "nothing but their bytes tells when files are taken anew that stay: that is seen late",
                files=len(self._digests),
                after=f"{needed / READ_FOR_MOST * ALL_WITHIN:.0f} s",
                hint="take away what was submitted, or have the share tell when a file was changed",
            )

    def keep(self, paths: Collection[Path]) -> None:
        """Forget all files but these."""
        self._digests = {path: digest for path, digest in self._digests.items() if path in paths}
