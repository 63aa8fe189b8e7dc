"""A folder that photographs arrive in: what lies in it now, held by one process, there or away."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from producer.files.durable_files import replace
from producer.pictures.file_names import SIDECARS, UNFINISHED, ending_of, is_picture, pocket_of
from producer.pictures.system_files import is_system_litter
from producer.station.file_state import Look
from producer.station.folder_lock import FolderLock, FolderTaken

log = structlog.get_logger()

SUBMITTED: Final = "submitted"
REJECTED: Final = "rejected"


class WatchedFolder:
    """One folder, and all below it but what was handed in or rejected. Hold it with `hold`, end with `close`."""

    def __init__(self, path: Path):
        self.path = path
        self.writable = True
        self._lock: FolderLock | None = None
        self._away = False
        self._problem: str | None = None

    def hold(self) -> None:
        """Take the folder for this process.

        Raises:
            FolderTaken: another process watches it.
            OSError: it is not there.
        """
        self._lock = FolderLock(self.path)
        self.writable = self._lock.writable
        if not self.writable:
            log.warning("the folder may only be read: what was handed in stays in it, and is remembered")

    def close(self) -> None:
        """Let the folder go."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def is_there(self) -> bool:
        """Whether the folder can be looked at now; says so when it goes away, and when it is back.

        One that comes back may be another one (a share that was mounted again), so it is taken anew.
        """
        if not self.path.is_dir():
            if not self._away:
                log.error("the folder is gone: waiting for it to come back", folder=str(self.path))
            self._away = True
            self.close()
            return False
        if self._away:
            try:
                self.hold()
            except (FolderTaken, OSError) as error:
                self._say(str(error))
                return False
            self._away = False
            log.warning("the folder is back", folder=str(self.path))
        return True

    def files(self) -> Iterator[tuple[Path, Look]]:
        """Every file that may be a photograph, with what a look at it shows. Links are not followed."""
        for folder, folders, names in os.walk(self.path, onerror=self._not_listed):
            here = Path(folder)
            done = (SUBMITTED, REJECTED) if here == self.path else ()
            folders[:] = [name for name in folders if name not in done and not is_system_litter(Path(name))]
            for name in filter(_may_be_a_photograph, names):
                with suppress(OSError):  # gone since it was listed
                    status = (here / name).lstat()
                    if stat.S_ISREG(status.st_mode):
                        yield here / name, Look.at(status)

    def move(self, relative: Path, to: str, reason: str | None = None) -> None:
        """Move a file to the folder `to`, with a note beside it that says why.

        Raises:
            OSError: it cannot be moved.
        """
        (self.path / relative).lstat()  # where the folder itself went away, no new one is made in its place
        target = self.path / to / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():  # a pocket photographed again: keep both
            target = target.with_name(f"{target.stem}-{time.time_ns()}{target.suffix}")
        replace(self.path / relative, target)
        if reason is not None:
            target.with_name(f"{target.name}.reason.txt").write_text(f"{reason}\n", encoding="utf-8")

    def _not_listed(self, error: OSError) -> None:
        if isinstance(error, FileNotFoundError):  # gone since it was listed, or all of it: `is_there` says that
            return
        self._say(f"{error.filename}: {error.strerror}")

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            log.error("a folder cannot be looked at", problem=problem)
        self._problem = problem


def _may_be_a_photograph(name: str) -> bool:
    """Whether a file is looked at: a picture by its ending, or what is named by a pocket and by nothing else known."""
    if is_system_litter(Path(name)):
        return False
    return is_picture(name) or (pocket_of(name) is not None and ending_of(name) not in SIDECARS | UNFINISHED)
