"""A folder that photographs arrive in: what lies in it now, held by one process, there or away."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Final

import structlog

from producer.contract.reasons.stations import IT_IS
from producer.files.durable_files import move_back, replace, write_file
from producer.files.file_kinds import no_file
from producer.pictures.file_names import (
    SIDECARS,
    UNFINISHED,
    ending_of,
    implied_pocket,
    is_picture,
    may_become_newest,
    pocket_of,
)
from producer.pictures.system_files import is_system_litter, may_be_on_its_way
from producer.station.file_writers import open_for_writing
from producer.station.folder_lock import FolderLock, FolderTaken
from producer.station.nameless_files import may_be_photograph
from producer.station.nested_folders import DONE, check_not_nested
from producer.station.settled_files import Changing, Look
from producer.station.unfinished_copies import Copy

log = structlog.get_logger()

SUBMITTED, REJECTED = DONE

_UNMOUNTED: Final = "an empty folder is in its place: is its share mounted?"


class WatchedFolder:
    """One folder, and all below it but what was handed in or rejected. Hold it with `hold`, end with `close`."""

    def __init__(self, path: Path):
        self.path = path
        self.writable = True
        self._lock: FolderLock | None = None
        self._held: tuple[int, int] | None = None
        self._away: str | None = None
        self._problem: str | None = None
        self._unlisted: set[str] = set()
        self.no_files: dict[Path, tuple[Look, str]] = {}
        """What the last listing found that is named like a photograph and is no file, with what it is."""
        self.copies: list[Copy] = []
        """What it found that may become a pocket's newest photograph under a name of its own."""

    def hold(self) -> None:
        """Take the folder for this process.

        Raises:
            FolderTaken: another process watches it, or a folder above or below it.
            OSError: it is not there.
        """
        held = _identity(self.path)
        self._lock = FolderLock(self.path)
        try:
            check_not_nested(self.path)
        except FolderTaken:
            self.close()
            raise
        self._held = held
        self.writable = self._lock.writable
        if not self.writable:
            log.warning("the folder may only be read: what was handed in stays in it, and is remembered")

    def close(self) -> None:
        """Release the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def is_there(self) -> bool:
        """Whether the folder can be looked at now; says so when it goes away, and when it is back.

        A share that is unmounted leaves the empty folder that it was mounted on. Such a one in the folder's place is
        not taken for it until there is something in it. One that comes back may be another one (a share that was
        mounted again), so it is taken anew.
        """
        try:
            identity = _identity(self.path)
            changed = self._held is not None and identity != self._held
            away = _UNMOUNTED if changed and shows_nothing(self.path) and not os.path.ismount(self.path) else None
        except OSError as error:  # not there, or a share whose server does not answer
            changed, away = True, error.strerror
        if away is not None:
            if away != self._away:
                log.error("the folder is gone: waiting for it to come back", folder=str(self.path), problem=away)
            self._away = away
            self.close()
            return False
        if self._away is None and not changed:
            return True
        try:
            self.close()
            self.hold()
        except (FolderTaken, OSError) as error:
            self._say(str(error))
            return False
        if self._away is None:
            log.warning("another folder is in the place of the watched one, and is watched now", folder=str(self.path))
        else:
            log.warning("the folder is back", folder=str(self.path))
        self._away = None
        return True

    def files(self) -> Iterator[tuple[Path, Look]]:
        """Every file that may be a photograph, with what a look at it shows.

        Links are not followed. What is named like a photograph and is no file, and a link to a folder, is said once
        and left where it is, among `no_files`.
        """
        no_files: dict[Path, tuple[Look, str]] = {}
        copies: list[Copy] = []
        errors: list[OSError] = []
        for folder, folders, names in os.walk(self.path, onerror=errors.append):
            here = Path(folder)
            done = (SUBMITTED, REJECTED) if here == self.path else ()
            copies += _copies(here, names)
            for name in filter(may_be_on_its_way, folders):
                copies += _copies(here, (f"{name}/{inner}" for inner in _names(here / name)))
            folders[:] = [name for name in folders if name not in done and not is_system_litter(Path(name))]
            for path in map(here.joinpath, (*folders, *filter(is_named_as_photograph, names))):
                with suppress(OSError):  # gone since it was listed
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        yield path, Look.at(status)
                    elif not stat.S_ISDIR(status.st_mode) or is_picture(path.name):
                        no_files[path] = Look.at(status), IT_IS(what=no_file(status.st_mode))
        for path, (_, problem) in no_files.items():
            if path not in self.no_files or self.no_files[path][1] != problem:
                name = path.relative_to(self.path).as_posix()
                log.warning("a photograph is not taken: put the file itself there", file=name, problem=problem)
        self.no_files = no_files
        self.copies = copies
        # What is gone since it was listed is no problem, and of the whole folder `is_there` says it.
        unlisted = {f"{error.filename}: {error.strerror}" for error in errors if error.errno != errno.ENOENT}
        for problem in sorted(unlisted - self._unlisted):
            log.error("a folder cannot be looked at", problem=problem)
        self._unlisted = unlisted

    def move(self, relative: Path, look: Look, to: str, reason: str | None = None) -> Path:
        """Move a file that looked like `look` when it was read to the folder `to`, with a note beside it that says why.

        Returns:
            Where it is now.

        Raises:
            Changing: it is another photograph by now, or is being written; it stays, or is back in its place.
            OSError: it cannot be moved.
        """
        source = self.path / relative
        if Look.at(source.lstat()) != look:  # where the folder itself went away, no new one is made in its place
            raise Changing
        target = self.path / to / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():  # a pocket photographed again: keep both
            target = target.with_name(f"{target.stem}-{time.time_ns()}{target.suffix}")
        replace(source, target)
        if _is_another(target, look):  # it was replaced or opened in the last moment
            try:
                move_back(target, source)
            except FileExistsError:
                kept = target.relative_to(self.path).as_posix()
                log.warning("a newer photograph came before this one was read", file=relative.as_posix(), kept=kept)
            raise Changing
        if reason is not None:
            write_file(target.with_name(f"{target.name}.reason.txt"), f"{reason}\n".encode())
        return target

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            log.error("a folder cannot be looked at", problem=problem)
        self._problem = problem


def shows_nothing(folder: Path) -> bool:
    """Whether a folder is empty, but for what systems leave about: as a share's mount point is without its share.

    Raises:
        OSError: it cannot be listed.
    """
    return all(is_system_litter(Path(entry.name)) for entry in folder.iterdir())


def _identity(folder: Path) -> tuple[int, int]:
    """What a folder is known by as long as it is the same one: its device, and its number on that.

    Raises:
        OSError: it is not there, or no folder.
    """
    status = folder.stat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder any more", str(folder))
    return status.st_dev, status.st_ino


def _is_another(path: Path, look: Look) -> bool:
    """Whether a file that was just moved is not the one that was read, or has a writer.

    Moving sets its time of the last change, and on some shares its number.
    """
    with path.open("rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        return (status.st_size, status.st_mtime_ns) != (look.size, look.mtime) or bool(open_for_writing(file.fileno()))


def is_named_as_photograph(name: str) -> bool:
    """Whether a file is looked at: a picture by its ending, or what is named by a pocket and by nothing else known."""
    if is_system_litter(Path(name)):
        return False
    if is_picture(name):
        return True
    return pocket_of(name) is not None and ending_of(name) not in SIDECARS | UNFINISHED and may_become_newest(name)


def _copies(folder: Path, names: Iterable[str]) -> Iterator[Copy]:
    """Those of the names in a folder that may become a pocket's newest photograph there."""
    for name in names:
        if not is_named_as_photograph(name):
            with suppress(OSError):  # it has its own name by now
                status = (folder / name).lstat()
                pocket = _pocket_to_be(name)
                if stat.S_ISREG(status.st_mode) and (pocket is not None or may_be_photograph(folder / name)):
                    yield Copy(folder, name, pocket, Look.at(status))


def _pocket_to_be(name: str) -> int | None:
    """The pocket of which a file may become the newest photograph, by its name; None where that tells none."""
    inner = PurePath(name).name
    if inner != name:
        return pocket_of(inner) if is_picture(inner) else None
    return implied_pocket(name) if may_become_newest(name) else None


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:  # gone, or nobody may
        return []
