"""The two scopes that everything in the database happens in: one that writes, one that reads."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine, exc, text
from sqlalchemy.orm import Session

from db.engine import schema_version
from db.engine.driver_errors import means_away, postgres_remedy, sqlite_remedy
from db.engine.engines import CONNECTIONS, WAIT_SECONDS, make_engine
from db.engine.file_in_place import InPlace, in_place, was_replaced
from db.engine.forks import lock_that_forks_wait_for
from db.engine.sqlite_read_only import unchanging, wal_of
from db.engine.url import PREPARE, shown, sqlite_file
from db.engine.write_ahead_log import wait_for_disk
from producer.files.sqlite_errors import described

log = structlog.get_logger()

# A prepared statement is there, or is not, against what the driver knows: a pooler is between it and the server.
_POSTGRES_POOLED: Final = ("42P05", "26000")


class DatabaseUnavailable(Exception):
    """The database is away, locked or full, or refuses: wait and do the same again. The statement is not to blame."""


class SchemaOutdated(Exception):
    """There is no database, or its tables are not those of this version; the message says what to do."""


def is_unavailable(error: BaseException) -> bool:
    """Whether an error means that the database is away (worth waiting for), not that a statement is wrong."""
    if isinstance(error, DatabaseUnavailable | exc.TimeoutError):
        return True
    return means_away(error)


class _OfScope(Session):
    """A session on the connection of a scope, whose transaction it neither begins nor ends."""

    def connection(self, *_: Any, **__: Any) -> Connection:
        """The scope's own; a session otherwise makes a transaction of its own for it, which takes as long as one."""
        assert isinstance(self.bind, Connection)  # noqa: S101
        return self.bind


@contextmanager
def _session_of(connection: Connection) -> Iterator[Session]:
    session = _OfScope(connection)
    try:
        yield session
    finally:
        if session.in_transaction():  # what a message asks goes past it (`db.engine.prepared`): there is nothing to end
            session.close()


_UNSYNCED: Final = text("SET LOCAL synchronous_commit TO off")


class Database:
    """One database, shared by all threads of a process."""

    def __init__(
        self, url: str, *, connections: int = CONNECTIONS, reads_only: bool = False, forks: bool = False
    ) -> None:
        """Prepare the engine; nothing is connected, and no SQLite file is made, before the first scope.

        `connections` is how many there are at most; a scope that finds all in use waits, `WAIT_SECONDS` at most. With
        `reads_only` a SQLite file that may only be read will do; with `forks` the process may fork (`db.engine.forks`).

        Raises:
            ValueError: the URL is neither of a SQLite file nor of PostgreSQL.
        """
        self.url = url
        file = sqlite_file(url)
        forks = forks and file is not None
        options: dict[str, Any] = {"connections": 0 if forks else connections, "reads_only": reads_only}
        self._engine = make_engine(url, **options, syncs=False)
        self._log = None if file is None else wal_of(file)
        self._read_only_file = file if reads_only else None
        if file is not None:
            # Connections of their own: one that is told not to write, or to write again, forgets its prepared
            # statements.
            self._reading = make_engine(url, **options, asks_only=True)
        else:
            # What SQLite does by itself: all statements of one scope see the same moment.
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # Taking a connection out of its pool and giving it back takes as long as a short transaction.
        self._keeps = file is not None and not forks and not reads_only
        self._writing: Connection | None = None
        self._file = file if self._keeps else None
        self._written_to: InPlace | None = None
        self._read_from: InPlace | None = None
        self._was_replaced = False
        # SQLite has one writer; others sleep up to 100 ms between looks at its lock. Threads take turns here instead.
        self._turn = threading.Lock() if file is not None else None
        self._no_fork = lock_that_forks_wait_for() if forks else nullcontext()

    def __repr__(self) -> str:
        return f"Database({shown(self.url)!r})"

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[Session]:
        """The one scope that writes: commits at its end, or rolls back on an error.

        On SQLite it holds the write lock from its start to its commit, so keep it short: no images, no network inside.
        Then, without the lock, it waits for the disk: others may see what it wrote before that, but after its end it
        is there.

        Where it is not `synced`, its end does not wait for the disk: a power cut may take it back (whole, and never
        what is synced after it without it), a crash of any process does not. For what is only asked when the same
        message comes again.

        Raises:
            DatabaseUnavailable: the database is away or locked; nothing is known to be committed.
        """
        with self._no_fork, self._writers_turn(), waitable(self.url), self._begun() as connection:
            if not synced and self._log is None:
                connection.execute(_UNSYNCED)
            with _session_of(connection) as session:
                yield session
                session.flush()
        if synced and self._log is not None:
            try:
                wait_for_disk(self._log)
            except OSError as error:
                raise DatabaseUnavailable(f"the disk does not take what is written to {self._log}: {error}") from error

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """A transaction: on SQLite that of the one connection which writes, whose threads take turns."""
        if not self._keeps:
            with self._engine.begin() as connection:
                yield connection
            return
        if self._writing is not None and was_replaced(self._written_to, self._in_place()):
            self._begin_anew()
        self._check_what_took_its_place()
        connection = self._writing or self._engine.connect()
        self._writing = None
        try:
            with connection.begin():
                self._written_to = self._written_to or self._in_place()
                yield connection
        except BaseException:
            connection.close()  # whatever it was, the next one begins anew
            raise
        self._writing = connection
        if was_replaced(self._written_to, self._in_place()):
            self._begin_anew()
            raise DatabaseUnavailable(f"{self._file} was moved, deleted or replaced while it was written")

    def _in_place(self) -> InPlace | None:
        """The file that is to be written to; None where no connection to it outlives its scope."""
        return None if self._file is None or self._log is None else in_place(self._file, self._log)

    def _begin_anew(self) -> None:
        """Let go of a file that is not the database's any more."""
        log.warning("the database's file was moved, deleted or replaced: it is opened anew", file=str(self._file))
        self.close()
        self._was_replaced = True

    def _check_what_took_its_place(self) -> None:
        if not self._was_replaced:
            return
        try:
            self.check_schema()
        except SchemaOutdated as error:
            raise DatabaseUnavailable(f"its file was moved, deleted or replaced, and {error}") from error
        self._was_replaced = False

    @contextmanager
    def _writers_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise DatabaseUnavailable(f"another thread has been writing for more than {WAIT_SECONDS} seconds")
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A scope that sees one moment of the database, cannot write, and blocks no other.

        Raises:
            DatabaseUnavailable: the database is away.
        """
        file = self._read_only_file
        before = None if file is None else unchanging(file)
        if was_replaced(self._read_from, now := self._in_place()):
            self._reading.dispose()
        self._read_from = now
        with self._no_fork, waitable(self.url), self._reading.begin() as connection, _session_of(connection) as session:
            yield session
        if file is not None and before is not None and unchanging(file) != before:
            raise DatabaseUnavailable(f"{file} was written while it was read: ask again")

    def check_schema(self) -> None:
        """Make sure that the database has the tables of this version.

        Raises:
            SchemaOutdated: it has not, or there is no database yet.
            DatabaseUnavailable: the database is away.
        """
        path = sqlite_file(self.url)
        if path is not None and not path.exists():
            raise SchemaOutdated(f"there is no database at {path}: `insert-db upgrade` makes one")
        head = schema_version.head()
        with self._no_fork, waitable(self.url), self._reading.connect() as connection:
            revision = schema_version.revision_of(connection)
        if revision != head:
            known = revision is None or revision in schema_version.revisions()
            what = "run `insert-db upgrade`" if known else "it is of a newer version of this program, which you need"
            raise SchemaOutdated(
                f"the database {shown(self.url)} has schema {revision or 'none'}, this version needs {head}: {what}"
            )

    def close(self) -> None:
        """Close all connections. The database may be used again afterwards."""
        writing, self._writing = self._writing, None
        self._written_to = None
        if writing is not None:
            writing.close()
        self._engine.dispose()
        self._reading.dispose()


@contextmanager
def waitable(url: str) -> Iterator[None]:
    """Turn what means that the database at `url` is away into `DatabaseUnavailable`, with its name in the message.

    Raises:
        DatabaseUnavailable: it is away, locked, full, or may not be written.
    """
    try:
        yield
    except exc.TimeoutError as error:  # of the pool; what a server lets time out is a DBAPIError
        raise DatabaseUnavailable(
            f"all connections that this process may have to it have been in use for {WAIT_SECONDS} seconds"
        ) from error
    except (exc.SQLAlchemyError, sqlite3.Error) as error:
        if str(getattr(getattr(error, "orig", None), "sqlstate", None)) in _POSTGRES_POOLED:
            raise ValueError(
                "PostgreSQL and this process disagree on prepared statements, as behind a PgBouncer that pools "
                f"transactions: add ?{PREPARE}=none to the database URL"
            ) from error
        if is_unavailable(error):
            raise DatabaseUnavailable(_described(url, getattr(error, "orig", None) or error)) from error
        raise


@contextmanager
def engine_for(
    url: str, *, create: bool = False, foreign_keys: bool = True, reads_only: bool = False
) -> Iterator[Engine]:
    """An engine of `make_engine` for one block, whose errors are those of `waitable`.

    Raises:
        DatabaseUnavailable: it is away, locked, full, or may not be written.
    """
    engine = make_engine(url, create=create, foreign_keys=foreign_keys, reads_only=reads_only)
    try:
        with waitable(url):
            yield engine
    finally:
        engine.dispose()


def _described(url: str, error: BaseException) -> str:
    """Which database it is, what its driver says of it, and what to think of first."""
    file = sqlite_file(url)
    if file is not None:
        return described(file, error) + (f" ({remedy})" if (remedy := sqlite_remedy(error)) else "")
    return f"{shown(url)}: {str(error).strip()}. {postgres_remedy(error)}"
