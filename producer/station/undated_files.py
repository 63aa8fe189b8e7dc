"""Files that stay where they were handed in, and of which nothing but their bytes tells that they were taken anew.

A share may know one time of a file only, in whole seconds, and a camera without a clock sets that to the same one for
each photograph: bitmaps of one size look alike then, whatever they show. So they are read again and again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from producer.station.settled_files import Look

READ_FOR: Final = 0.1
"""Seconds of each look at the folder that are spent on them; those that were read longest ago are the first."""


class UndatedFiles:
    """What each such file held when it was read last."""

    def __init__(self) -> None:
        self._digests: dict[Path, bytes] = {}

    def remember(self, path: Path, look: Look, image: bytes) -> None:
        """Remember what a file that stays holds, if its look does not tell when it changes."""
        if not look.is_dated:
            self._digests[path] = hashlib.sha256(image).digest()

    def changed(self) -> list[Path]:
        """Read some of them, and forget and return those that hold something else."""
        end, changed = time.monotonic() + READ_FOR, []
        for path in list(self._digests):
            digest = self._digests.pop(path)
            try:
                if hashlib.sha256(path.read_bytes()).digest() == digest:
                    self._digests[path] = digest  # behind the others
                else:
                    changed.append(path)
            except OSError:  # gone, or away for now
                self._digests[path] = digest
            if time.monotonic() > end:
                break
        return changed

    def keep(self, paths: Collection[Path]) -> None:
        """Forget all files but these."""
        self._digests = {path: digest for path, digest in self._digests.items() if path in paths}
