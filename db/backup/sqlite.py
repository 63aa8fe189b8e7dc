"""A backup of SQLite: its own online copy, which sees one moment and blocks no writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from db.backup.contents import BackupError, count_rows
from db.engine.database import engine_for
from db.engine.schema_version import revision_of
from db.engine.sqlite_read_only import reading_options
from db.engine.url import sqlite_file, sqlite_url
from producer.files.durable_files import make_folder, replaced_file
from producer.files.sqlite_errors import described


def write(url: str, target: Path) -> tuple[str, dict[str, int]]:
    """Copy the database into a new file and check the copy; its schema's revision and its rows.

    Raises:
        BackupError: the database is damaged.
        OSError: the disk cannot be written.
    """
    with closing(_opened(_file(url))) as source, closing(sqlite3.connect(target)) as copy:
        _copy(source, copy, target)
        copy.execute("PRAGMA journal_mode=DELETE")  # the copy is one file, with nothing beside it
        _check(copy, f"the database {_file(url)}")
    with engine_for(sqlite_url(target)) as engine, engine.connect() as connection:
        rows, revision = count_rows(connection), revision_of(connection)
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")  # this program's own connections leave it in WAL
    return revision or "", rows


def read(url: str, source: Path, revision: str, note: Callable[[str], None]) -> None:
    """Bring a copy back: into a new file that appears when it is complete, or into the one that is there.

    Into the latter in a single transaction of SQLite's, so a process that has it open sees the old or the new,
    and so does the next start after a crash.

    Args:
        url: of the database.
        source: the copy.
        revision: the schema that it has.
        note: is called with the URL of the restored database before anybody sees it.

    Raises:
        BackupError: the copy is damaged or of another schema, or the database is locked.
        OSError: the disk cannot be written.
    """
    file = _file(url)
    make_folder(file.parent)
    with closing(_opened(source)) as backup, TemporaryDirectory(prefix="restore-", dir=file.parent) as folder:
        _check(backup, f"the backup {source}")
        if backup.execute("SELECT version_num FROM alembic_version").fetchall() != [(revision,)]:
            raise BackupError(f"{source} has not the schema {revision} that its manifest says")
        restored = Path(folder) / file.name
        with closing(sqlite3.connect(restored)) as copy:
            _copy(backup, copy, restored)
        note(sqlite_url(restored))
        with (
            nullcontext(file) if file.exists() else replaced_file(file) as written,
            closing(sqlite3.connect(restored)) as copy,
            closing(sqlite3.connect(written, timeout=30)) as database,
        ):
            copy.execute("PRAGMA journal_mode=DELETE")  # this program's own connections leave it in WAL
            _copy(copy, database, file)


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, file: Path) -> None:
    try:
        source.backup(target)  # all pages in one step: one moment, whatever is written meanwhile
    except sqlite3.OperationalError as error:
        raise BackupError(
            f"the database cannot be copied ({described(file, error)}): is its disk full, or does a process lock it?"
        ) from error


def _check(connection: sqlite3.Connection, what: str) -> None:
    try:
        problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        problems = [str(error)]
    if problems != ["ok"]:
        raise BackupError(f"{what} is damaged: {'; '.join(problems)}")


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?{reading_options(file)}", uri=True, timeout=30)


def _file(url: str) -> Path:
    file = sqlite_file(url)
    if file is None:
        raise ValueError("this is no URL of SQLite")
    return file
