"""Which files of a watched folder became captures: remembered in the outbox, in one step with each event.

A file is recognised by its path, size and times of change, without being read; if those changed, by its name, size and
SHA-256. `mtime` alone is not enough: a camera without a clock gives each photograph of a pocket the same one, and
bitmaps have the same size.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import unicodedata
from collections.abc import Collection
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from producer.contract.event import new_id
from producer.delivery.metrics import made_at
from producer.delivery.outbox import Outbox
from producer.pictures.file_names import pocket_of
from producer.station.settled_files import Look
from producer.station.time_since_boot import Moment
from producer.station.watched_folder import shows_nothing

log = structlog.get_logger()

KEEP_NOTES: Final = 7 * 86_400.0
"""Seconds for which it is remembered which file became which capture, and which operation which check. The first is
needed for as long as the file stands in the folder, the second, and what each pocket showed, until an operation's last
photograph: hours at most."""

_SIZE: Final = " of "
"""What stands before the size in the note on a check."""

FILE_NOTE, CONTENT_NOTE, CHECK_NOTE, SHOWN_NOTE, END_NOTE = "file:", "content:", "check:", "shown:", "end:"


class HandedIn:
    """What one station's outbox remembers of one watched folder."""

    def __init__(self, outbox: Outbox, folder: Path):
        self._outbox = outbox
        self._folder = folder

    @staticmethod
    def file_note(relative: Path, look: Look, capture: UUID, image: bytes) -> tuple[str, str]:
        """The note that a file became a capture, its name and its text: written together with the event."""
        return _file_note(relative, look), f"{capture} {_content(image)}"

    def knows(self, relative: Path, look: Look) -> bool:
        """Whether a file was handed in, as far as can be said without reading it."""
        return self._outbox.note(_file_note(relative, look)) is not None

    def knows_bytes(self, relative: Path, look: Look, image: bytes) -> bool:
        """Whether a file that looked so was handed in with just these bytes; yes where only its look was noted."""
        _, _, content = (self._outbox.note(_file_note(relative, look)) or "").partition(" ")
        return content in ("", _content(image))

    def knows_content(self, relative: Path, image: bytes) -> bool:
        """Whether a file of that name was handed in and left where it is, with these bytes and no others since."""
        if self._outbox.note(self._content_note(relative, image)) is None:
            return False
        of_name = self._outbox.notes(f"{_shown(relative.parent)}{_name(relative)}:")
        newest = max(of_name, key=lambda note: _seconds(of_name[note]), default=None)
        return newest is None or newest.endswith(f":{_content(image)}")

    def remember_content(self, relative: Path, look: Look, image: bytes) -> None:
        """Remember a file that stays where it is by what it holds, and by how it looks now."""
        capture = self._outbox.first_note(self._content_note(relative, image), str(new_id()))
        self._outbox.first_note(_file_note(relative, look), f"{capture} {_content(image)}")

    def remember_end(self, relative: Path, whole: str, end: str) -> None:
        """Remember of a file that stays where it is the digests of what it holds, and of how that ends."""
        self._outbox.keep_note(self._end_note(relative), f"{new_id()} {whole} {end}")

    def ended(self, relative: Path) -> tuple[str, str]:
        """The last end that `remember_end` was given for a file; empty if there is none."""
        _, _, digests = (self._outbox.note(self._end_note(relative)) or "").partition(" ")
        whole, _, end = digests.partition(" ")
        return whole, end

    def others_of_pocket(self, relative: Path) -> list[str]:
        """The files of the same pocket and check that were handed in before under other names."""
        names = {_path_in(note).name for note in self._outbox.notes(_shown(relative.parent))}
        return sorted(name for name in names - {_name(relative)} if pocket_of(name) == pocket_of(relative.name))

    def shown_as(self, relative: Path, image: bytes, now: Moment, beside: Collection[int] = ()) -> str | None:
        """The file of another pocket of the check whose newest bytes are just these; None: they are this pocket's.

        Those of pockets `beside` it may be: they have regions of their own in one photograph.
        Noted before the event, so that a crash in between forgets nothing.
        """
        if not image:
            return None
        notes = self._outbox.notes(_shown(relative.parent))
        newest = {
            pocket_of(_path_in(note).name): note for note in sorted(notes, key=lambda note: _seconds(notes[note]))
        }
        content = _content(image)
        for pocket, note in newest.items():
            if pocket != pocket_of(relative.name) and pocket not in beside and note.endswith(f":{content}"):
                return _path_in(note).name
        self._outbox.keep_note(f"{_shown(relative.parent)}{_name(relative)}:{content}", f"{new_id()} {now}")
        return None

    def check_of(self, operation: Path, now: Moment, timeout: float, check_size: int) -> UUID:
        """The check of an operation's folder: the same one for all its files, also after a restart.

        It is over when nothing was handed in for `timeout` seconds, or after a restart of the computer: later files
        belong to another check, of an operation of the same name. A photograph of yesterday must not count for a pocket
        that was not photographed today. Nor do photographs belong together if `check_size` changed between them.
        """
        check = self.open_check(operation, now, timeout, check_size)
        if check is None:
            self._outbox.forget_notes(self._outbox.notes(_shown(operation)))
            check = new_id()
        self._outbox.keep_note(self._check_note(operation), f"{check} {now}{_SIZE}{check_size}")
        return check

    def open_check(self, operation: Path, now: Moment, timeout: float, check_size: int | None) -> UUID | None:
        """The check of an operation's folder that is not over, of `check_size` pockets (None: of any number)."""
        check, _, rest = (self._outbox.note(self._check_note(operation)) or "").partition(" ")
        last, _, size = rest.partition(_SIZE)
        passed = now.since(Moment.read(last)) if last else None
        over = passed is None or not 0 <= passed <= timeout
        # An earlier version noted no size.
        return None if over or (check_size is not None and size not in ("", str(check_size))) else UUID(check)

    def pockets_shown(self, operation: Path, now: Moment, timeout: float) -> set[int | None]:
        """The pockets of which a photograph was handed in for the check that is not over."""
        if self.open_check(operation, now, timeout, None) is None:
            return set()
        return {pocket_of(_path_in(note).name) for note in self._outbox.notes(_shown(operation))}

    def forget_old(self, now: float) -> None:
        """Forget what was noted more than `KEEP_NOTES` seconds before `now` (since the epoch).

        A note on a file is kept as long as the file is in the folder: it says that the file was handed in. While the
        folder itself is away, or is empty like the mount point of an unmounted share, nothing is forgotten.
        """
        before = now - KEEP_NOTES
        try:
            if shows_nothing(self._folder):
                return
            files = self._outbox.notes(FILE_NOTE) | self._outbox.notes(CONTENT_NOTE) | self._outbox.notes(END_NOTE)
            old = [name for name, value in files.items() if _noted_at(value) < before and not self._stands(name)]
            of_checks = self._outbox.notes(CHECK_NOTE) | self._outbox.notes(SHOWN_NOTE)
            old += [name for name, value in of_checks.items() if _noted_at(value) < before]
            self._outbox.forget_notes(old)
        except FileNotFoundError:  # the folder is away
            return
        except (OSError, sqlite3.Error) as error:
            log.error("old notes stay in the outbox", problem=str(error))

    def _stands(self, name: str) -> bool:
        """Whether the file that a note is about is still in the folder."""
        return os.path.lexists(self._folder / _path_in(name))

    def _check_note(self, operation: Path) -> str:
        return f"{CHECK_NOTE}{_normal((self._folder.absolute() / operation).as_posix())}"

    def _end_note(self, relative: Path) -> str:
        return f"{END_NOTE}{(self._folder.absolute() / relative).as_posix()}::"

    @staticmethod
    def _content_note(relative: Path, image: bytes) -> str:
        return f"{CONTENT_NOTE}{relative.as_posix()}:{_content(image)}"


def _file_note(relative: Path, look: Look) -> str:
    return f"{FILE_NOTE}{relative.as_posix()}:{look.mtime},{look.changed},{look.inode}:{look.size}"


def _content(image: bytes) -> str:
    return f"{hashlib.sha256(image).hexdigest()}:{len(image)}"


def _path_in(note: str) -> Path:
    """The path that the name of a note on a file begins with."""
    return Path(note.partition(":")[2].rsplit(":", 2)[0])


def _normal(name: str) -> str:
    """In normal form C, as names are: some file systems keep another one."""
    return unicodedata.normalize("NFC", name)


def _name(relative: Path) -> str:
    return _normal(relative.name)


def _shown(operation: Path) -> str:
    """What the notes on the photographs of an operation begin with."""
    return f"{SHOWN_NOTE}{_normal(operation.as_posix())}/"


def _seconds(value: str) -> float:
    """When a photograph was noted, since the computer's start; first of all what an earlier version noted."""
    _, _, moment = value.partition(" ")
    return Moment.read(moment).seconds if moment else -1.0


def _noted_at(value: str) -> float:
    """When a note was made, in seconds since the epoch: notes begin with a UUIDv7, and that with its time."""
    try:
        return made_at(UUID(value.partition(" ")[0]))
    except ValueError:  # the first version noted a word
        return 0.0
