"""Which SQLite file has a name at present.

A connection holds on to the file that it opened. Where that, or its write-ahead log, is moved away, deleted or
replaced, the connection goes on writing to what nobody will ever open again, without an error of SQLite's
(https://sqlite.org/howtocorrupt.html, 4.2 to 4.4). So whoever keeps connections compares.
"""

from __future__ import annotations

import os
from pathlib import Path

InPlace = tuple[tuple[int, int] | None, tuple[int, int] | None]
"""A SQLite file and its write-ahead log by device and inode, None for one that is not there."""


def in_place(file: Path, log: Path) -> InPlace:
    """Return what has the names of the file and of its log (`db.engine.sqlite_read_only.wal_of`) now."""
    return _identity(file), _identity(log)


def was_replaced(before: InPlace | None, now: InPlace | None) -> bool:
    """Whether what was in place `before` is not there `now`; a log that is there only now has just been begun."""
    if before is None or now is None:
        return False
    return any(then is not None and then != present for then, present in zip(before, now, strict=True))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - asked for each transaction
    except OSError:
        return None
    return status.st_dev, status.st_ino
