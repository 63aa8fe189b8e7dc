"""Files that were handed in although the system could not say whether a program still wrote them: watched for longer.

A program that overwrites a photograph in place, and pauses for longer than a file is waited for, leaves half of the
previous photograph in it, and that decodes to its end. When the program continues, the file has moved, and changes
where it is now. The outbox keeps a note of it: a restarted process watches the files for as long again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from producer.delivery.outbox import Outbox
from producer.files.durable_files import move_back
from producer.pictures.file_names import pocket_of
from producer.station.settled_files import Look

log = structlog.get_logger()

_NOTE: Final = "followed:"

_WRITTEN: Final = "a file was written after it was handed in"


@dataclass(frozen=True)
class Followed:
    """A file by its name in the watched folder, where it is now, and how it looked there and what it held at first.

    `look` is None if a restarted process found something else, or nothing.
    """

    name: Path
    path: Path
    look: Look | None
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
    """Files of a watched folder that were handed in and moved, each followed for so many seconds.

    At first, at `now`, those that the process before followed.
    """

    def __init__(self, seconds: float, outbox: Outbox, folder: Path, now: float):
        self._seconds = seconds
        self._outbox = outbox
        self._folder = folder
        self._files = list(self._noted(now + seconds))

    def follow(self, name: Path, path: Path, image: bytes, now: float) -> None:
        """Follow a file that held `image` when it was handed in under `name`, and was moved to `path`."""
        look, sha256 = Look.at(path.stat()), hashlib.sha256(image).digest()
        self._files.append(Followed(name, path, look, sha256, now + self._seconds))
        with suppress(sqlite3.Error):  # on a full disk it is followed by this process alone
            self._outbox.keep_note(self._note(path), f"{sha256.hex()} {name.relative_to(self._folder).as_posix()}")

    def leave(self, name: Path) -> None:
        """Follow those of the pocket of `name` no further: a newer photograph of it was handed in, and counts."""
        pocket = name.parent, pocket_of(name.name)
        self._keep(file for file in self._files if (file.name.parent, pocket_of(file.name.name)) != pocket)

    def bring_back(self, now: float) -> None:
        """Put each that was written since back into its place, to be handed in again: half of it was judged.

        Where a newer photograph has that, it stays: the newest counts. It is followed no further, nor are those whose
        time is over.
        """
        changed = [file for file in self._files if file.has_changed(now)]
        self._keep(file for file in self._files if now < file.until and file not in changed)
        for file in changed:
            try:
                move_back(file.path, file.name)
                log.error(f"{_WRITTEN}: it is handed in again", file=str(file.path))
            except FileExistsError:
                log.error(f"{_WRITTEN}: a newer one has its place, and counts", file=str(file.path))
            except OSError as error:  # the folder is away, or somebody took the file
                log.error(f"{_WRITTEN} and cannot be handed in again", file=str(file.path), problem=error.strerror)

    def _keep(self, files: Iterable[Followed]) -> None:
        """Follow no others any further."""
        before, self._files = self._files, list(files)
        if len(self._files) < len(before):
            with suppress(sqlite3.Error):  # then it is followed once more, which does no harm
                self._outbox.forget_notes(self._note(file.path) for file in before if file not in self._files)

    def _noted(self, until: float) -> Iterator[Followed]:
        for note, value in self._outbox.notes(f"{_NOTE}{self._folder.absolute().as_posix()}/").items():
            sha256, _, name = value.partition(" ")
            path = Path(note.removeprefix(_NOTE))
            look = None
            with suppress(OSError):  # the folder is away, or somebody took the file
                at = Look.at(path.stat())
                look = at if hashlib.sha256(path.read_bytes()).hexdigest() == sha256 else None
            yield Followed(self._folder / name, path, look, bytes.fromhex(sha256), until)

    @staticmethod
    def _note(path: Path) -> str:
        return f"{_NOTE}{path.absolute().as_posix()}"
