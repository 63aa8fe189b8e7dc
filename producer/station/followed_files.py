"""What was handed in although nothing told whether a program still wrote it: looked at for a while longer.

A program that overwrites a photograph in place, and pauses for longer than a file is waited for, leaves half of the one
before in it, and that decodes to its end. When the program goes on, the file has moved, and changes where it is now.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from producer.files.durable_files import move_back
from producer.station.settled_files import Look

log = structlog.get_logger()


@dataclass(frozen=True)
class Followed:
    """A file by its name in the watched folder, where it is now, and how it looked there and what it held at first."""

    name: Path
    path: Path
    look: Look
    sha256: bytes
    until: float

    def has_changed(self, now: float) -> bool:
        """Whether it holds something else. It is read where it looks otherwise, and at the end: not every file system
        dates changes."""
        try:
            if Look.at(self.path.stat()) == self.look and now < self.until:
                return False
            return hashlib.sha256(self.path.read_bytes()).digest() != self.sha256
        except OSError:  # somebody took it away
            return False


class FollowedFiles:
    """Files that were handed in and moved, each followed for so many seconds."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._files: list[Followed] = []

    def follow(self, name: Path, path: Path, image: bytes, now: float) -> None:
        """Follow a file that held `image` when it was handed in under `name`, and was moved to `path`."""
        look, sha256 = Look.at(path.stat()), hashlib.sha256(image).digest()
        self._files.append(Followed(name, path, look, sha256, now + self._seconds))

    def bring_back(self, now: float) -> None:
        """Put each that was written since back into its place, to be handed in again: half of it was judged.

        It is followed no further, nor are those whose time is over.
        """
        changed = [file for file in self._files if file.has_changed(now)]
        self._files = [file for file in self._files if now < file.until and file not in changed]
        for file in changed:
            log.error("a file was written after it was handed in: it is handed in again", file=str(file.path))
            # The folder is away, somebody took the file, or a newer photograph of the pocket is there, and counts.
            with suppress(OSError):
                move_back(file.path, file.name)
