"""Engines of SQLAlchemy's with this project's settings for both databases: how connections and transactions begin."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from db.engine.sqlite_read_only import reading_options
from db.engine.url import PREPARE, parse_url, prepare_threshold, sqlite_file

WAIT_SECONDS: Final = 30
"""How long a statement waits for another's lock, and a connection for its server, before the database is away."""

CONNECTIONS: Final = 5
"""How many connections a process has to its database at most (to SQLite, of each kind), opened when first needed. One
that judges needs one, its parent three (requeued faults, incomplete checks, metrics), a learner two (its task, its
lease)."""

FIRST_LOOK: Final = 0.0003
LONGEST_LOOK: Final = 0.02
"""Seconds between two looks whether another process has finished writing to a SQLite file: a tenth more each time, from
the one to the other. SQLite itself soon looks every 25 to 100 ms, while a worker's process writes for one or two."""

LOG_PAGES: Final = 4000
"""Pages of SQLite's write-ahead log, 16 MB, that are moved into the file at once; its own default is 1,000. A page that
several messages change is moved once, and a reader still looks into one table of the log's index."""

_OF_A_TRANSACTION: Final = (
    f"SELECT set_config('TimeZone', 'UTC', true), set_config('lock_timeout', '{WAIT_SECONDS}s', true)"
)


def make_engine(
    url: str,
    *,
    create: bool = False,
    foreign_keys: bool = True,
    connections: int = CONNECTIONS,
    reads_only: bool = False,
    asks_only: bool = False,
    syncs: bool = True,
) -> Engine:
    """An engine with this project's settings for both databases.

    Args:
        url: of a SQLite file or of PostgreSQL.
        create: make the SQLite file where there is none; without it, a missing file is an error when connecting.
        foreign_keys: whether SQLite enforces them; a migration that rebuilds a table must not.
        connections, reads_only: as of a `Database`; with 0 connections, none to SQLite outlives its scope.
        asks_only: all its transactions are questions; SQLite refuses to write in them.
        syncs: SQLite's commits wait for the disk; else who commits does that (`db.engine.write_ahead_log`).

    Raises:
        ValueError: the URL is neither.
    """
    pool: dict[str, Any] = {"pool_size": connections, "max_overflow": 0, "pool_timeout": WAIT_SECONDS}
    path = sqlite_file(url)
    if path is not None:
        mode = None if reads_only else "mode=rwc" if create else "mode=rw"
        # A reader decides anew each time how the file has to be opened.
        pool = pool if connections and not reads_only else {"poolclass": NullPool}
        return _sqlite_engine(url, path, mode, foreign_keys, asks_only, syncs, pool)
    engine = create_engine(
        parse_url(url).difference_update_query([PREPARE]),
        pool_pre_ping=True,
        **pool,
        connect_args={
            "connect_timeout": 10,
            "application_name": "insert-inspection",
            # A server that has vanished without a word is noticed too.
            "keepalives_idle": WAIT_SECONDS,
            "tcp_user_timeout": WAIT_SECONDS * 1000,
            **prepare_threshold(parse_url(url)),
        },
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Of this transaction, not of the connection: PgBouncer takes no options when connecting, and may give each
        # transaction another one of the server's connections.
        connection.exec_driver_sql(_OF_A_TRANSACTION)

    return engine


def _sqlite_engine(
    url: str, path: Path, mode: str | None, foreign_keys: bool, asks_only: bool, syncs: bool, pool: dict[str, Any]
) -> Engine:
    def connect() -> sqlite3.Connection:
        options = mode or reading_options(path)
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{options}",
            uri=True,
            timeout=WAIT_SECONDS,
            isolation_level=None,  # transactions begin as _begin says, not as the driver guesses
            check_same_thread=False,
            cached_statements=512,  # those of a message, for each number of captures
        )
        try:
            if "mode=ro" not in options:
                connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
            connection.execute(f"PRAGMA query_only={'ON' if asks_only else 'OFF'}")
            connection.execute(f"PRAGMA synchronous={'FULL' if syncs else 'NORMAL'}")
            connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
            if not (syncs or asks_only):
                # What a statement of several rows would take back, of which SQLite otherwise makes a file in /var/tmp
                # in every transaction. Not where a migration sorts a table, which needs that file.
                connection.execute("PRAGMA temp_store=MEMORY")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = create_engine(parse_url(url), creator=connect, **pool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        file: Any = connection.connection.driver_connection  # SQLAlchemy takes ten times as long for such a statement
        if asks_only:
            file.execute("BEGIN DEFERRED")
        else:
            _begin_to_write(file)

    return engine


def _begin_to_write(file: sqlite3.Connection) -> None:
    """Begin a transaction that has the write lock, when other processes have finished.

    A writer takes the lock at once and so waits for its turn; one that began by reading could only fail.

    Raises:
        sqlite3.OperationalError: they do not finish within `WAIT_SECONDS`, or something else keeps it from writing.
    """
    end, pause = time.monotonic() + WAIT_SECONDS, FIRST_LOOK
    file.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                file.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
            time.sleep(pause)
            pause = min(1.1 * pause, LONGEST_LOOK)
    finally:
        file.execute(f"PRAGMA busy_timeout={round(1000 * WAIT_SECONDS)}")
