"""Files that are wholly there or not there at all, also after a power cut."""

from __future__ import annotations

import errno
import os
import secrets
import time
from pathlib import Path
from typing import Final

REPLACE_FOR: Final = 1.0
"""Seconds for which a file that another program has open is tried to be replaced again (Windows only)."""

_IN_USE: Final = (5, 32)
"""ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION, of Windows."""


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically and sync it, its folder and every folder made on the way.

    Raises:
        OSError: the disk is full or cannot be written; nothing of the file is left then.
    """
    make_folder(path.parent)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def replace(path: Path, target: Path) -> None:
    """Move `path` to `target` in one step, over what is there.

    Windows refuses that while another program (a virus scanner, an indexer, a viewer) has either file open, for
    moments as a rule: it is tried again for `REPLACE_FOR` seconds.

    Raises:
        OSError: it cannot be moved.
    """
    end = time.monotonic() + REPLACE_FOR
    while True:
        try:
            path.replace(target)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _IN_USE or time.monotonic() > end:
                raise
            time.sleep(0.02)


def make_folder(path: Path) -> None:
    """Make `path` and its missing parents, each synced into its parent."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    if os.name == "nt":  # Windows has no handle to a folder; NTFS journals the rename itself.
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network shares have no way to sync a folder, and say so; what is a real fault is not among these.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF):
            raise
    finally:
        os.close(handle)
