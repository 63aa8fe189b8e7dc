"""A folder as a camera: every finished file becomes a capture.

Files lie under `FOLDER/<machine>/<head>/<operation>/<pocket>.jpg`; the files of one operation are one check. What was
handed in moves to `FOLDER/submitted`, what cannot be to `FOLDER/rejected` with a note beside it that says why. Where
the folder may only be read, what was handed in is remembered instead. For a photograph that is not taken a stand-in is
handed in: whatever an earlier one of its pocket showed, the newest was not seen.

The folder is looked at again and again: that shows the files of network shares too, of which the kernel tells nothing,
and costs nothing for what was moved away.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from pydantic import ValidationError

from producer.contract.event import CaptureEvent
from producer.delivery.outbox import Outbox
from producer.pictures.stand_in import stand_in
from producer.station.check_timeout import CHECK_TIMEOUT
from producer.station.declared_heads import DeclaredHeads, DeclaredPocket
from producer.station.followed_files import FollowedFiles
from producer.station.photograph_file import UNGUARDED, BeingWritten, Doubtful, Reading, is_raw, read
from producer.station.place import Place, place_of, same_place
from producer.station.settled_files import DOUBT_FOR, SETTLED_AFTER, Changing, Look, Stillness
from producer.station.station import Station
from producer.station.submitted_files import HandedIn
from producer.station.time_since_boot import Moment
from producer.station.unused_files import UnusedFiles
from producer.station.watched_folder import REJECTED, SUBMITTED, WatchedFolder, may_be_a_photograph
from producer.terminal.error_text import in_words

log = structlog.get_logger()

WATCH_EVERY: Final = 1.0
"""Seconds between two looks at the folder."""

FORGET_EVERY: Final = 3600.0
"""Seconds between two looks for what need not be remembered any more."""


@dataclass(frozen=True)
class _File:
    path: Path
    relative: Path
    look: Look

    @property
    def name(self) -> str:
        return self.relative.as_posix()


class FolderCamera:
    """Hands in every finished photograph below one folder, each once, also across restarts.

    Args:
        folder: where photographs arrive.
        station: whose captures they become.
        outbox: that station's; what was handed in is remembered there.
        heads: what is declared of the heads; the photographs of one of which nobody says anything are refused.
        settled_after: seconds that a file must show the same before it is taken.
        doubt_for: seconds that a file is waited for which shows the same and does not seem whole.
        every: seconds between two looks at the folder.
        check_timeout: seconds without a photograph after which an operation's check is over.
    """

    def __init__(
        self,
        folder: Path,
        station: Station,
        outbox: Outbox,
        heads: DeclaredHeads,
        *,
        settled_after: float = SETTLED_AFTER,
        doubt_for: float = DOUBT_FOR,
        every: float = WATCH_EVERY,
        check_timeout: float = CHECK_TIMEOUT,
    ):
        self._folder = WatchedFolder(folder)
        self._station = station
        self._heads = heads
        self._settled_after = settled_after
        self._doubt_for = doubt_for
        self._every = every
        self._check_timeout = check_timeout
        self._handed_in = HandedIn(outbox, folder)
        self._stillness = Stillness()
        self._unused = UnusedFiles(folder, may_be_a_photograph, (SUBMITTED, REJECTED))
        self._dealt_with: dict[Path, Look] = {}  # and still where it was
        self._said: dict[Path, str] = {}
        self._bars: set[str] = set()  # that stayed for as long as a file is waited for
        self._followed = FollowedFiles(doubt_for)
        self._warned = False  # that nothing tells who writes a file

    def run(self, stop: threading.Event, on_capture: Callable[[CaptureEvent], None]) -> None:
        """Look at the folder again and again until `stop` is set; while the folder is away, wait for it.

        Raises:
            FolderTaken: another process watches the folder.
            OSError: the folder is not there at the start.
        """
        self._folder.hold()
        try:
            forgotten = -FORGET_EVERY
            while True:
                began = time.monotonic()
                there = self._folder.is_there()
                if there and began - forgotten >= FORGET_EVERY:
                    self._handed_in.forget_old(time.time())
                    forgotten = began
                if stop.is_set():
                    return
                if there:
                    self.sweep(on_capture)
                # A share that takes long to list is not listed all the time.
                stop.wait(max(self._every, time.monotonic() - began))
        finally:
            self._folder.close()

    def sweep(self, on_capture: Callable[[CaptureEvent], None]) -> bool:
        """Look once, and hand in what is finished; True while there are files left to look at again."""
        now = time.monotonic()
        self._followed.bring_back(now)
        looks = dict(self._folder.files())
        self._unused.look(now)
        looks |= {path: look for path, (look, _) in self._folder.no_files.items()}
        self._forget_all_but(looks)
        looks = {path: look for path, look in looks.items() if self._dealt_with.get(path) != look}
        still = {path: self._stillness.seconds(path, look, now) for path, look in looks.items()}
        settled = sorted(path for path, seconds in still.items() if seconds >= self._settled_after)
        self._say_what_never_settles({path: looks[path] for path in looks.keys() - set(settled)}, now)
        twins = same_place(settled, self._folder.path)
        waiting = len(looks) - len(settled)
        for path in settled:
            file = _File(path, path.relative_to(self._folder.path), looks[path])
            try:
                self._take(file, twins.get(path, []), still[path] < self._doubt_for, on_capture)
            except Changing:
                self._stillness.forget(path)
                waiting += 1
            except FileNotFoundError:  # gone since it was listed
                self._stillness.forget(path)
            except (BeingWritten, Doubtful, OSError, sqlite3.Error) as problem:
                # Its writer goes on, a full disk or outbox passes; the file stays where it is until then.
                self._say_once(file, "a file cannot be handed in now and stays", str(problem))
                waiting += 1
        return waiting > 0

    def _take(
        self, file: _File, twins: Sequence[str], patient: bool, on_capture: Callable[[CaptureEvent], None]
    ) -> None:
        """Hand in a settled file and put it away, or refuse it for good.

        Raises:
            Doubtful: it does not seem whole, and the time for doubts is not over.
            BeingWritten: it is waited for as long as it takes. What is half the photograph before, and half this one,
                decodes to its end, and nobody could tell.
            Changing, OSError, sqlite3.Error: it cannot be handed in now.
        """
        declared: tuple[Place, DeclaredPocket] | None = None
        try:
            file.name.encode()  # a name of another encoding, from an old share, cannot be noted down
            if self._is_known(file):
                self._put_away(file)
                return
            place = place_of(file.relative)
            declared = place, self._heads.pocket(place)
            if file.path in self._folder.no_files:
                raise ValueError(self._folder.no_files[file.path][1])
            if twins:
                raise ValueError(f"pocket {place.pocket} is there more than once, also as {', '.join(twins)}: which?")
            reading = read(file.path, file.look)
            if is_raw(file.path.name, reading.image):
                raise ValueError("a camera's raw data, which the line cannot read: let it write JPEG, PNG, BMP or TIFF")
            if reading.unguarded and not self._warned:
                log.warning(UNGUARDED, file=file.name)
                self._warned = True
            doubt = reading.doubt or (None if reading.bar in self._bars else reading.bar)
            if doubt is not None and patient:
                raise Doubtful(doubt)
            if self._handed_in.knows_content(file.relative, reading.image):
                self._put_away(file, reading)
                return
            moment = Moment.now()
            check = self._check_of(file, declared[1], moment)
            if (other := self._handed_in.shown_as(file.relative, reading.image, moment)) is not None:
                raise ValueError(f"it is one and the same photograph as {other}: hand in both pockets' own")
            before = self._handed_in.others_of_pocket(file.relative)
            event = self._submit(file, reading.image, *declared, check)
        except (ValidationError, ValueError) as error:
            self._refuse(file, in_words(error), declared)
            return
        if doubt is not None:
            log.warning("a file was handed in as it is", file=file.name, problem=doubt)
        if reading.bar is not None:
            self._bars.add(reading.bar)
        if before:
            log.warning("a pocket was handed in again: the newest counts", file=file.name, before=before)
        on_capture(event)
        self._put_away(file, reading)

    def _check_of(self, file: _File, pocket: DeclaredPocket, moment: Moment) -> UUID:
        return self._handed_in.check_of(file.relative.parent, moment, self._check_timeout, pocket.check_size)

    def _submit(self, file: _File, image: bytes, place: Place, pocket: DeclaredPocket, check: UUID) -> CaptureEvent:
        capture = self._station.new_capture_id()
        return self._station.submit(
            image,
            machine=place.machine,
            head=place.head,
            pocket=place.pocket,
            operation=place.operation,
            check_id=check,
            check_size=pocket.check_size,
            capture_id=capture,
            region=pocket.region,
            insert_designation=pocket.designation,
            # The note and the event are one step, so a file whose move was cut short by a crash is not handed in twice.
            note=self._handed_in.file_note(file.relative, file.look, capture, image),
        )

    def _is_known(self, file: _File) -> bool:
        """Whether a file was handed in, and a crash came before it was moved or it could not be.

        Where files are moved, its bytes are compared too, at no cost to speak of: a FAT file system knows no time of
        the last change, so that a second photograph of a pocket may look just as the first.
        """
        if not self._handed_in.knows(file.relative, file.look):
            return False
        if file.path in self._folder.no_files or not self._folder.writable:
            return True
        return self._handed_in.knows_bytes(file.relative, file.look, file.path.read_bytes())

    def _put_away(self, file: _File, reading: Reading | None = None) -> None:
        """Move what was handed in out of the way, or remember it where it stays."""
        if self._folder.writable and file.path not in self._folder.no_files:
            try:
                moved = self._folder.move(file.relative, file.look, SUBMITTED)
                self._stillness.forget(file.path)  # what comes under its name is another one
                if reading is not None and reading.unguarded:
                    self._followed.follow(file.path, moved, reading.image, time.monotonic())
                return
            except OSError as error:
                self._say_once(file, "a file was handed in and cannot be moved: it stays", str(error))
        if reading is not None:
            self._handed_in.remember_content(file.relative, file.look, reading.image)
        self._dealt_with[file.path] = file.look

    def _refuse(self, file: _File, reason: str, declared: tuple[Place, DeclaredPocket] | None) -> None:
        """Hand in a stand-in for a photograph that is not taken, and put it aside; what is no file stays."""
        if declared is not None:
            place, pocket = declared
            image = stand_in(f"{file.path.name}: {reason}")
            with suppress(ValidationError):  # of a name that no machine can have, which is the reason
                self._submit(file, image, place, pocket, self._check_of(file, pocket, Moment.now()))
        if file.path not in self._folder.no_files:
            log.warning("a file was rejected", file=file.name, reason=reason)
            if self._folder.writable:
                try:
                    self._folder.move(file.relative, file.look, REJECTED, reason)
                    self._stillness.forget(file.path)
                    return
                except OSError as error:
                    self._say_once(file, "a rejected file cannot be moved: it stays", str(error))
        self._dealt_with[file.path] = file.look

    def _say_once(self, file: _File, what: str, problem: str) -> None:
        if self._said.get(file.path) != problem:
            self._said[file.path] = problem
            log.warning(what, file=file.name, problem=problem)

    def _say_what_never_settles(self, changing: Mapping[Path, Look], now: float) -> None:
        """Say of a file that was waited for as long as any that something changes it again and again."""
        for path, look in changing.items():
            if self._stillness.watched(path, now) >= self._doubt_for + self._settled_after:
                file = _File(path, path.relative_to(self._folder.path), look)
                self._say_once(file, "a file is never still, and is not handed in", "something changes it all the time")

    def _forget_all_but(self, looks: dict[Path, Look]) -> None:
        """Forget the files that are not there any more."""
        self._stillness.keep(looks.keys())
        self._dealt_with = {path: look for path, look in self._dealt_with.items() if path in looks}
        self._said = {path: problem for path, problem in self._said.items() if path in looks}
