"""A SQLite file that several threads and processes of one machine share, with a write-ahead log."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from producer.files.sqlite_errors import described

log = structlog.get_logger()

_WAIT: Final = 10.0
"""Seconds that another process is waited for."""

_SAY_AFTER: Final = 2.0
"""Seconds after which that is said."""


class SqliteFile:
    """A SQLite file, open; safe to use from several threads and processes."""

    def __init__(self, path: Path, what: str, prepare: Callable[[sqlite3.Connection], None]):
        """Open the file, making it where there is none; several processes may do so at once.

        Args:
            path: the file; its folder is there.
            what: what the file is, for errors: "outbox".
            prepare: makes the tables, or brings them up to date; called outside a transaction.

        Raises:
            sqlite3.Error: the file cannot be opened or is none of these.
        """
        self._name = f"the {what} {path}"
        self._lock = threading.Lock()
        with self._named("opened"):
            self.connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
            with self._logged_when_it_takes_long():
                _log_ahead(self.connection)
                self.connection.execute("PRAGMA synchronous = FULL")
                prepare(self.connection)
            self.connection.execute(f"PRAGMA busy_timeout = {1000 * _SAY_AFTER:.0f}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self.connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, to read from it.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        with self._lock, self._named("read"):
            yield self.connection

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction, which is committed when the block ends, and on disk then if `synced`.

        What is not synced may be gone after a power cut (never half, never after a mere crash). For what was sent or
        answered that means it is sent again, which is harmless; the disk's time belongs to those that submit.

        Raises:
            sqlite3.Error: it cannot be written; nothing of the block is kept then.
        """
        with self._lock, self._named("written"):
            try:
                self.connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                self._begin()
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def _begin(self) -> None:
        """Begin to write, once no other process does; say so where one takes long."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            self._say()
            self.connection.execute(f"PRAGMA busy_timeout = {1000 * (_WAIT - _SAY_AFTER):.0f}")
            try:
                self.connection.execute("BEGIN IMMEDIATE")
            finally:
                self.connection.execute(f"PRAGMA busy_timeout = {1000 * _SAY_AFTER:.0f}")

    @contextmanager
    def _logged_when_it_takes_long(self) -> Iterator[None]:
        saying = threading.Timer(_SAY_AFTER, self._say)
        saying.daemon = True
        saying.start()
        try:
            yield
        finally:
            saying.cancel()

    def _say(self) -> None:
        log.warning("another process is writing to a file: waiting for it", file=self._name)

    @contextmanager
    def _named(self, what: str) -> Iterator[None]:
        """Name the file in errors of SQLite."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise type(error)(described(f"{self._name} cannot be {what}", error)) from error


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Give a database a write-ahead log. For that SQLite does not wait for others who open the file just now."""
    others = retry_if_exception(lambda error: isinstance(error, sqlite3.OperationalError) and not _is_lasting(error))
    for attempt in Retrying(retry=others, stop=stop_after_delay(_WAIT), wait=wait_random(0.01, 0.05), reraise=True):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL")


def _is_lasting(error: sqlite3.OperationalError) -> bool:
    """Whether it is none that ends with what another process does."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
