"""A folder as a camera: every finished file becomes a capture.

Files lie under `FOLDER/<machine>/<head>/<operation>/<pocket>.jpg`; the files of one operation are one check. What was
handed in moves to `FOLDER/submitted`, what cannot be to `FOLDER/rejected` with a note beside it that says why. Where
the folder may only be read, what was handed in is remembered instead. For a photograph that is not taken a stand-in is
handed in: whatever an earlier one of its pocket showed, the newest was not seen.

The folder is looked at again and again: that shows the files of network shares too, of which the kernel tells nothing.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from producer.contract.event import CaptureEvent
from producer.contract.reasons import stations as why
from producer.contract.reasons.template import Reason
from producer.delivery.outbox import Outbox
from producer.station.check_timeout import CHECK_TIMEOUT
from producer.station.declared_heads import DeclaredHeads
from producer.station.file_captures import FileCaptures, ListedFile, why_refused
from producer.station.followed_files import FollowedFiles
from producer.station.hanging_folder import LookProgress
from producer.station.known_photographs import SentBefore
from producer.station.overwritten_files import OverwrittenFiles
from producer.station.photograph_file import UNGUARDED, BeingWritten, Doubtful, Reading, read, why_raw
from producer.station.place import same_place
from producer.station.settled_files import DOUBT_FOR, SETTLED_AFTER, Changing, Look, Stillness
from producer.station.station import Station
from producer.station.submitted_files import HandedIn
from producer.station.time_since_boot import Moment
from producer.station.undated_files import UndatedFiles
from producer.station.unfinished_copies import UnfinishedCopies
from producer.station.unused_files import UnusedFiles
from producer.station.watched_folder import REJECTED, SUBMITTED, WatchedFolder, is_named_as_photograph

log = structlog.get_logger()

WATCH_EVERY: Final = 1.0
"""Seconds between two looks at the folder."""

FORGET_EVERY: Final = 3600.0
"""Seconds between two looks for what need not be remembered any more."""


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
        progress: is told how a look comes on.
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
        progress: LookProgress | None = None,
    ):
        self._progress = progress or LookProgress()
        self._folder = WatchedFolder(folder)
        self._settled_after, self._doubt_for = settled_after, doubt_for
        self._every = every
        self._handed_in = HandedIn(outbox, folder)
        self._heads = heads
        self._captures = FileCaptures(station, self._handed_in, heads, check_timeout)
        self._sent_before = SentBefore(outbox)
        self._copies = UnfinishedCopies(settled_after, doubt_for)
        self._stillness = Stillness()
        self._unused = UnusedFiles(folder, is_named_as_photograph, (SUBMITTED, REJECTED))
        self._dealt_with: dict[Path, Look] = {}  # and still where it was
        self._said: dict[Path, str] = {}
        self._bars: set[str | None] = {None}  # that stayed for as long as a file is waited for
        self._followed = FollowedFiles(doubt_for, outbox, folder, time.monotonic())
        self._overwritten = OverwrittenFiles(self._handed_in)
        self._undated = UndatedFiles()
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
                with self._progress.look():
                    began, there = time.monotonic(), self._folder.is_there()
                    if there and began - forgotten >= FORGET_EVERY:
                        self._handed_in.forget_old(time.time())
                        self._sent_before.forget_old(time.time())
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
        self._heads.look_again(now)
        self._followed.bring_back(now)
        looks = dict(self._progress.through(self._folder.files()))
        self._copies.look(self._folder.copies, now)
        self._unused.look(now)
        looks |= {path: look for path, (look, _) in self._folder.no_files.items()}
        self._forget_all_but(looks)
        for path in self._undated.changed():
            del self._dealt_with[path]
            self._stillness.forget(path)
        looks = {path: look for path, look in looks.items() if self._dealt_with.get(path) != look}
        still = {path: self._stillness.seconds(path, look, now) for path, look in looks.items()}
        settled = sorted(path for path, seconds in still.items() if seconds >= self._settled_after)
        self._say_what_never_settles({path: looks[path] for path in looks.keys() - set(settled)}, now)
        waiting, twins = len(looks) - len(settled), same_place(settled, self._folder.path)
        files = {path: ListedFile(path, path.relative_to(self._folder.path), looks[path]) for path in sorted(looks)}
        # A check is not complete while a newer photograph of one of its pockets, or of any, is on its way.
        try:
            first = self._captures.are_again(files.values()) | self._captures.are_of_no_pocket(files.values())
        except sqlite3.Error as problem:
            self._say_once(next(iter(files.values())), "a file cannot be handed in now and stays", str(problem))
            return True
        held = {file.operation for file in first if still[file.path] < self._settled_after}
        with self._captures.together(first):
            for path in self._progress.through(sorted(settled, key=lambda path: (files[path] not in first, path))):
                file = files[path]
                if self._copies.hold(path.parent) or (file.operation in held and file not in first):
                    waiting += 1
                    continue
                try:
                    self._take(file, twins.get(path, []), still[path] < self._doubt_for, on_capture)
                except FileNotFoundError:  # gone since it was listed
                    self._stillness.forget(path)
                except (Changing, BeingWritten, Doubtful, OSError, sqlite3.Error) as problem:
                    if isinstance(problem, Changing):
                        self._stillness.forget(path)
                    else:  # its writer goes on, a full disk or outbox passes; the file stays where it is until then
                        self._say_once(file, "a file cannot be handed in now and stays", str(problem))
                    held |= {file.operation} if file in first else set()
                    waiting += 1
        self._sent_before.warn()
        self._stand_in_for_copies()
        return waiting > 0

    def _stand_in_for_copies(self) -> None:
        for folder, copies in self._copies.left().items():
            try:
                self._captures.stand_in_for(copies, folder.relative_to(self._folder.path))
            except (OSError, sqlite3.Error) as problem:
                path = copies[0].path
                file = ListedFile(path, path.relative_to(self._folder.path), copies[0].look)
                self._say_once(file, "a stand-in for a file cannot be handed in now", str(problem))

    def _take(
        self, file: ListedFile, twins: Sequence[str], patient: bool, on_capture: Callable[[CaptureEvent], None]
    ) -> None:
        """Hand in a settled file and put it away, or refuse it for good.

        Raises:
            Doubtful: it does not seem whole, and the time for doubts is not over.
            BeingWritten: it is waited for as long as it takes: half of it, over the one before, decodes to its end.
            Changing, OSError, sqlite3.Error: it cannot be handed in now.
        """
        try:
            file.name.encode()  # a name of another encoding, from an old share, cannot be noted down
            if self._is_known(file):
                self._put_away(file)
                return
            place, pocket = self._captures.declared(file)
            if file.path in self._folder.no_files:
                raise ValueError(self._folder.no_files[file.path][1])
            if twins:
                raise ValueError(why.TWINS(pocket=place.pocket, names=", ".join(twins)))
            left = self._copies.left().get(file.path.parent, [])
            if unfinished := [copy.name for copy in left if copy.pocket == place.pocket]:
                raise ValueError(why.NEWER(names=", ".join(unfinished)))
            reading = read(file.path, file.look)
            if (raw := why_raw(file.path.name, reading.image)) is not None:
                raise ValueError(raw)
            if reading.unguarded and not self._warned:
                log.warning(UNGUARDED, file=file.name)
                self._warned = True
            doubt = reading.doubt or self._overwritten.doubt(file.relative, reading.image)
            doubt = doubt or (None if reading.bar in self._bars else reading.bar)
            if doubt is not None and patient:
                raise Doubtful(doubt)
            if self._handed_in.knows_content(file.relative, reading.image):
                self._put_away(file, reading)
                return
            moment = Moment.now()
            check = self._captures.check_of(file, pocket, moment)
            if (other := self._handed_in.shown_as(file.relative, reading.image, moment, pocket.beside)) is not None:
                raise ValueError(why.THE_SAME_AS(file=other))
            before = self._handed_in.others_of_pocket(file.relative)
            self._captures.stand_in_for(left, file.relative.parent, check)
            event = self._captures.submit(file, reading.image, place, pocket, check)
        except (ValidationError, ValueError) as error:
            self._refuse(file, why_refused(error))
            return
        if doubt is not None:
            log.warning("a file was handed in as it is", file=file.name, problem=doubt)
        self._bars.add(reading.bar)
        if before:
            log.warning("a pocket was handed in again: the newest counts", file=file.name, before=before)
        self._sent_before.take(event, reading.image)
        on_capture(event)
        self._put_away(file, reading)

    def _is_known(self, file: ListedFile) -> bool:
        """Whether a file was handed in, and a crash came before it was moved or it could not be.

        Its bytes count too, unless it stays and its look tells of every change: a FAT file system knows no such time.
        """
        if not self._handed_in.knows(file.relative, file.look):
            return False
        if file.path in self._folder.no_files or (file.look.is_dated and not self._folder.writable):
            return True
        image = file.path.read_bytes()
        self._undated.remember(file.path, file.look, image)
        return self._handed_in.knows_bytes(file.relative, file.look, image)

    def _put_away(self, file: ListedFile, reading: Reading | None = None) -> None:
        """Move what was handed in out of the way, or remember it where it stays."""
        if self._folder.writable and file.path not in self._folder.no_files:
            try:
                moved = self._folder.move(file.relative, file.look, SUBMITTED)
                self._stillness.forget(file.path)  # what comes under its name is another one
                self._followed.leave(file.path)
                if reading is not None and reading.unguarded:
                    self._followed.follow(file.path, moved, reading.image, time.monotonic())
                return
            except OSError as error:
                self._say_once(file, "a file was handed in and cannot be moved: it stays", str(error))
        if reading is not None:
            self._handed_in.remember_content(file.relative, file.look, reading.image)
            self._overwritten.remember(file.relative, reading.image)
            self._undated.remember(file.path, file.look, reading.image)
        self._dealt_with[file.path] = file.look

    def _refuse(self, file: ListedFile, reason: Reason) -> None:
        """Hand in a stand-in for a photograph that is not taken, and put it aside; what is no file stays."""
        self._captures.stand_in(file, reason)
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

    def _say_once(self, file: ListedFile, what: str, problem: str) -> None:
        if self._said.get(file.path) != problem:
            self._said[file.path] = problem
            log.warning(what, file=file.name, problem=problem)

    def _say_what_never_settles(self, changing: Mapping[Path, Look], now: float) -> None:
        """Say of a file that was waited for as long as any that something changes it again and again."""
        for path, look in changing.items():
            if self._stillness.watched(path, now) >= self._doubt_for + self._settled_after:
                file = ListedFile(path, path.relative_to(self._folder.path), look)
                self._say_once(file, "a file is never still, and is not handed in", "something changes it all the time")

    def _forget_all_but(self, looks: dict[Path, Look]) -> None:
        """Forget the files that are not there any more."""
        self._stillness.keep(looks.keys())
        self._dealt_with = {path: look for path, look in self._dealt_with.items() if path in looks}
        self._undated.keep(self._dealt_with.keys())
        self._said = {path: problem for path, problem in self._said.items() if path in looks}
