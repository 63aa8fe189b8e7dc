"""How a SQLite file is opened for reading, also where it, or its folder, is read-only."""

from __future__ import annotations

import os
from pathlib import Path


def reading_options(file: Path) -> str:
    """The options of the URI by which a file is opened to be read.

    Where it can be written too, it is opened as for writing: then the last process to close it removes the WAL.
    Where it cannot, and a writer has it open (its WAL is there), it is read beside that one. Where it cannot and no
    writer has it open, SQLite would want to make a WAL and cannot, so it is read as a file that does not change;
    `unchanging` shows whether that was true.
    """
    if os.access(file, os.W_OK) and os.access(file.parent, os.W_OK):
        return "mode=rw"
    return "mode=ro" if wal_of(file).exists() else "mode=ro&immutable=1"


def unchanging(file: Path) -> tuple[int, ...] | None:
    """The state of a file that is read as one that does not change; None for one that is not."""
    if not file.exists() or "immutable" not in reading_options(file):
        return None
    state = file.stat()
    return (state.st_ino, state.st_size, state.st_mtime_ns)


def wal_of(file: Path) -> Path:
    """Where SQLite keeps what is not in the file yet, while a writer has it open."""
    file = file.resolve()  # beside the file itself, not beside a link to it
    return file.with_name(f"{file.name}-wal")
