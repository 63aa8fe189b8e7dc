"""Whether a file is still being written: by what the kernel knows of it, and by comparing two looks at it."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_PROCESSES: Final = Path("/proc")


@dataclass(frozen=True)
class Look:
    """What one look at a file shows. Between two equal looks there is no trace of a writer.

    The times are the file server's and are compared with each other only. `changed` is that of the last change of
    any kind (`st_ctime`), which no copying program sets: it moves on even where a writer keeps size and `mtime`.
    """

    size: int
    mtime: int
    changed: int
    inode: int

    @classmethod
    def at(cls, status: os.stat_result) -> Look:
        """Take the look that `status` is."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Changing(Exception):
    """A file is not as it was when it was looked at: somebody writes it, or replaced it."""


@dataclass
class _Seen:
    look: Look
    since: float
    first: float


class Stillness:
    """For how long each file has shown the same, by this computer's own clock that never steps (`time.monotonic`)."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Seen] = {}

    def seconds(self, path: Path, look: Look, now: float) -> float:
        """For how many seconds of `now`'s clock a file has looked as it does; 0.0 at the first look."""
        seen = self._seen.get(path)
        if seen is None or seen.look != look:
            self._seen[path] = _Seen(look, now, now if seen is None else seen.first)
            return 0.0
        return now - seen.since

    def watched(self, path: Path, now: float) -> float:
        """For how many seconds of `now`'s clock a file has been looked at, changing or not."""
        return now - self._seen[path].first

    def forget(self, path: Path) -> None:
        """Restart the count for a file."""
        self._seen.pop(path, None)

    def keep(self, paths: Collection[Path]) -> None:
        """Forget all files but these."""
        self._seen = {path: seen for path, seen in self._seen.items() if path in paths}


def open_for_writing(descriptor: int) -> bool | None:
    """Whether some process of this computer has a file open for writing; None where nothing tells that none has.

    Linux gives a read lease on a file exactly while nobody has it open for writing (`fcntl(2)`, `F_SETLEASE`), to
    its owner or to root, on file systems of its own; in a container root may have lost that right. Else the open files
    of the processes that this one may look into tell of a writer, and never that there is none. `descriptor` must be
    open for reading only.
    """
    leased = _leased_to_a_writer(descriptor)
    return True if leased is None and _seen_open_for_writing(descriptor) else leased


def _leased_to_a_writer(descriptor: int) -> bool | None:
    locks: Any = _fcntl()
    if locks is None or not hasattr(locks, "F_SETLEASE"):
        return None
    try:
        # When a process opens the file for writing meanwhile, the kernel signals the holder of the lease. The default
        # signal would end this process, SIGURG does nothing.
        locks.fcntl(descriptor, locks.F_SETSIG, signal.SIGURG)
        locks.fcntl(descriptor, locks.F_SETLEASE, locks.F_RDLCK)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):  # not its owner, or a file system that has no leases
        return None
    locks.fcntl(descriptor, locks.F_SETLEASE, locks.F_UNLCK)
    return False


def _seen_open_for_writing(descriptor: int) -> bool:
    """Whether a process that this one may look into has a file open for writing (`proc(5)`)."""
    file = os.fstat(descriptor)
    for descriptors in _PROCESSES.glob("[0-9]*/fd"):
        with suppress(OSError):  # another user's process, or over
            if any(_is_opened_to_write(opened, file) for opened in descriptors.iterdir()):
                return True
    return False


def _is_opened_to_write(opened: Path, file: os.stat_result) -> bool:
    """Whether one of a process's open files is `file`, open for writing."""
    try:
        if not os.path.samestat(opened.stat(), file):
            return False
        words = (opened.parents[1] / "fdinfo" / opened.name).read_text("ascii").split()
    except OSError:  # closed since it was listed
        return False
    return bool(int(words[words.index("flags:") + 1], 8) & (os.O_WRONLY | os.O_RDWR))


def has_holes(descriptor: int, size: int) -> bool:
    """Whether parts of a file were never written: its room was reserved first."""
    if not hasattr(os, "SEEK_HOLE"):
        return False
    try:
        return os.lseek(descriptor, 0, os.SEEK_HOLE) < size
    except OSError:
        return False
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


def _fcntl() -> ModuleType | None:
    """The kernel's file locks; Windows has none of that name."""
    try:
        return importlib.import_module("fcntl")
    except ImportError:
        return None
