"""What SQLite's errors mean to a person: which file, and what to think of first."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

HINTS: Final = {
    sqlite3.SQLITE_BUSY: "another process has been writing to it all the time",
    sqlite3.SQLITE_READONLY: "this user may only read it",
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_IOERR: "is its disk full or broken?",
    sqlite3.SQLITE_CANTOPEN: "is it there, a file, and may this user read and write it and its folder?",
    sqlite3.SQLITE_NOTADB: "another program's file?",
    sqlite3.SQLITE_CORRUPT: "restore a backup",
}
"""What to think of first, by the primary result code."""


def described(subject: Path | str, error: BaseException) -> str:
    """An error of SQLite's behind its `subject`: the file, which SQLite does not name, and what was done with it."""
    hint = HINTS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return f"{subject}: {error}" + (f" ({hint})" if hint else "")
