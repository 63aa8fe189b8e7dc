"""Waits for the disk after a commit to SQLite, when its write lock has been given back.

With `synchronous=FULL` SQLite waits inside the commit, and nobody else may write meanwhile. With `NORMAL` a commit only
appends to the write-ahead log, and what moves the log into the file (a checkpoint) syncs both, in the right order: the
file is always whole (https://sqlite.org/pragma.html#pragma_synchronous). What is left is to sync the log.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

# Of the data alone, as SQLite does it: when the log was written last need not be on disk. macOS has only the other.
_SYNC: Final = getattr(os, "fdatasync", os.fsync)  # noqa: TID251


def wait_for_disk(log: Path) -> None:
    """Return when all that was committed until now is on disk, whichever process committed it.

    `log` is the write-ahead log of a SQLite file (`db.engine.sqlite_read_only.wal_of`). SQLite locks no byte of it, so
    opening and closing it here gives none of its locks away.

    Raises:
        OSError: the disk does not take it; whether it is there is not known.
    """
    try:
        opened = os.open(log, os.O_RDONLY)
    except FileNotFoundError:  # the last connection has been closed, which moved all of it into the file
        return
    try:
        _SYNC(opened)
    finally:
        os.close(opened)
