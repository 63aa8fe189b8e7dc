"""A folder as a camera: every finished file becomes a capture.

Files lie under ``FOLDER/<machine>/<head>/<operation>/<pocket>.jpg``; the files of one operation are one check. What was
handed in moves to ``FOLDER/submitted``, what cannot be to ``FOLDER/rejected`` with a note beside it that says why.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
import watchfiles
from pydantic import ValidationError

from producer.check import IMAGE_SUFFIXES
from producer.event import CaptureEvent, new_id
from producer.metrics import made_at
from producer.outbox import Outbox
from producer.problems import readable
from producer.station import Station

log = structlog.get_logger()

SETTLED: Final = 1.0
"""Seconds without a change after which a file counts as finished; cameras write in bursts."""

LOOK_EVERY_MS: Final = 500
"""How often, in milliseconds, the folder is looked at again while files are still being written."""

KEEP_NOTES: Final = 7 * 86_400.0
"""Seconds for which it is remembered which file became which capture, and which operation which check. The first is
needed from the submit to the move just after it, the second until an operation's last photograph: hours at most."""

FORGET_EVERY: Final = 3600.0
"""Seconds between two looks for what need not be remembered any more."""

SUBMITTED, REJECTED = "submitted", "rejected"

FILE_NOTE, CHECK_NOTE = "file:", "check:"


@dataclass(frozen=True)
class Place:
    """What a file's path says about its photograph."""

    machine: str
    head: str
    operation: str
    pocket: int


def place_of(relative: Path) -> Place:
    """Read ``<machine>/<head>/<operation>/<pocket>.jpg``.

    Raises:
        ValueError: the path has another form.
    """
    parts = relative.parts
    if len(parts) != 4 or not (relative.stem.isascii() and relative.stem.isdigit()):
        raise ValueError(f"{relative.as_posix()} is not <machine>/<head>/<operation>/<pocket>{relative.suffix}")
    return Place(parts[0], parts[1], parts[2], int(relative.stem))


class FolderCamera:
    """Hands in every finished photograph below one folder, each once, also across restarts."""

    def __init__(self, folder: Path, station: Station, outbox: Outbox, check_size: int):
        self._folder = folder
        self._station = station
        self._outbox = outbox
        self._check_size = check_size

    def run(self, stop: threading.Event, on_capture: Callable[[CaptureEvent], None]) -> None:
        """Watch until ``stop`` is set."""
        self.forget_old_notes(time.time())
        forgotten = time.monotonic()
        pending = self.sweep(on_capture)
        for changes in watchfiles.watch(
            self._folder, stop_event=stop, rust_timeout=LOOK_EVERY_MS, yield_on_timeout=True, raise_interrupt=False
        ):
            if changes or pending:
                pending = self.sweep(on_capture)
            if time.monotonic() - forgotten > FORGET_EVERY:
                self.forget_old_notes(time.time())
                forgotten = time.monotonic()

    def forget_old_notes(self, now: float) -> None:
        """Forget what was noted more than `KEEP_NOTES` seconds before ``now`` (since the epoch).

        A note on a file that still stands in the folder is kept for as long as it does: it says that the file was
        handed in, and must be moved only.
        """
        before = now - KEEP_NOTES
        try:
            files, checks = self._outbox.notes(FILE_NOTE), self._outbox.notes(CHECK_NOTE)
            old = [name for name, value in files.items() if _noted_at(value) < before and not self._stands(name)]
            old += [name for name, value in checks.items() if _noted_at(value) < before]
            self._outbox.forget_notes(old)
        except sqlite3.Error as error:
            log.error("old notes stay in the outbox", problem=str(error))

    def sweep(self, on_capture: Callable[[CaptureEvent], None]) -> bool:
        """Hand in what is finished; True while there are files left to look at again."""
        pending = False
        for path in sorted(self._folder.rglob("*")):
            relative = path.relative_to(self._folder)
            if relative.parts[0] in (SUBMITTED, REJECTED) or path.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            try:
                age = time.time() - path.stat().st_mtime
            except FileNotFoundError:
                continue
            if not path.is_file() or path.is_symlink():
                continue
            if 0 <= age < SETTLED:
                pending = True
                continue
            try:
                self._hand_in(path, relative, on_capture)
            except (OSError, sqlite3.Error) as error:
                # A full disk or outbox passes; the file stays where it is until then.
                log.error("a file cannot be handed in now and stays", file=relative.as_posix(), problem=str(error))
                pending = True
        return pending

    def _hand_in(self, path: Path, relative: Path, on_capture: Callable[[CaptureEvent], None]) -> None:
        image = path.read_bytes()
        status = path.stat()
        # The note and the event are one step, so a file whose move was cut short by a crash is not handed in twice.
        name = f"{FILE_NOTE}{relative.as_posix()}:{status.st_mtime_ns}:{status.st_size}"
        if self._outbox.note(name) is None:
            capture = new_id()
            try:
                place = place_of(relative)
                event = self._station.submit(
                    image,
                    machine=place.machine,
                    head=place.head,
                    pocket=place.pocket,
                    operation=place.operation,
                    check_id=self._check_of(relative.parent),
                    check_size=self._check_size,
                    capture_id=capture,
                    note=(name, str(capture)),
                )
            except (ValidationError, ValueError) as error:
                self._reject(path, relative, error)
                return
            on_capture(event)
        _move(path, self._folder / SUBMITTED / relative)

    def _check_of(self, operation: Path) -> UUID:
        """The check of an operation's folder: the same one for all its files, also after a restart."""
        return UUID(self._outbox.first_note(f"{CHECK_NOTE}{operation.as_posix()}", str(new_id())))

    def _stands(self, name: str) -> bool:
        """Whether the file that a note is about is still in the folder."""
        return (self._folder / name.removeprefix(FILE_NOTE).rsplit(":", 2)[0]).exists()

    def _reject(self, path: Path, relative: Path, error: Exception) -> None:
        reason = readable(error)
        log.warning("a file was rejected", file=relative.as_posix(), reason=reason)
        target = _move(path, self._folder / REJECTED / relative)
        target.with_name(f"{target.name}.reason.txt").write_text(f"{reason}\n", encoding="utf-8")


def _noted_at(value: str) -> float:
    """When a note was made, in seconds since the epoch: what is noted are UUIDv7, which begin with their time."""
    try:
        return made_at(UUID(value))
    except ValueError:  # the first version noted a word
        return 0.0


def _move(path: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():  # a pocket photographed again: keep both
        target = target.with_name(f"{target.stem}-{time.time_ns()}{target.suffix}")
    return path.replace(target)
