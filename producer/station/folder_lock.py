"""A lock on a folder for one process at a time, also across computers that share it; it ends with its process."""

from __future__ import annotations

import importlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

LOCK_FILE: Final = ".insert-station.lock"
"""In the folder, where it may be written: the lock that other computers see (NFS, SMB)."""


class FolderTaken(ValueError):
    """Another process holds the folder."""


def is_taken(folder: Path) -> bool:
    """Whether a process holds a folder, looked at without leaving anything in it; False for one that is not there."""
    for place, flags in ((folder, os.O_RDONLY), (folder / LOCK_FILE, os.O_RDWR)):
        if os.name == "nt" and place == folder:
            continue
        try:
            descriptor = os.open(place, flags)
        except OSError:
            continue
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError):
            return True
        except OSError:  # a file system without locks
            continue
        finally:
            os.close(descriptor)
    return False


class FolderLock:
    """Holds a folder until it is closed.

    Where the folder may be written a file in it is locked; where the operating system can, the folder itself too, so
    that a folder that may only be read is held as well. Both locks are the kernel's and end with their process.
    """

    def __init__(self, folder: Path, who: str = "watch"):
        """Take `folder` for the command `who`.

        Raises:
            FolderTaken: another process has it.
            OSError: it is not there.
        """
        self._descriptors: list[int] = []
        self._who = who
        self.writable = False
        try:
            self._take(os.open(folder, os.O_RDONLY) if os.name != "nt" else None, folder)
            with suppress(OSError):
                descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
                self.writable = True
                self._take(descriptor, folder)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the folder."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _take(self, descriptor: int | None, folder: Path) -> None:
        if descriptor is None:
            return
        self._descriptors.append(descriptor)
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError) as error:
            raise FolderTaken(
                f"another `{self._who}` has {folder}, on this computer or on one that shares it, and nothing is to "
                "be handed in twice. End that one first, or give each a folder of its own"
            ) from error
        except OSError:  # a file system without locks: nothing to hold on to
            return


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        locks: Any = importlib.import_module("msvcrt")
        locks.locking(descriptor, locks.LK_NBLCK, 1)
    else:
        locks = importlib.import_module("fcntl")
        locks.flock(descriptor, locks.LOCK_EX | locks.LOCK_NB)
