"""What the errors of both databases' drivers mean: whether the database is away or refuses, and what to do about it.

A database that refuses this process, or whose tables are those of another version, is repaired by a person, and then
the same statement succeeds: it is waited for, and no capture is to blame.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy import exc

# The primary result codes of SQLite that speak of the database, not of the statement: https://sqlite.org/rescode.html
_SQLITE_AWAY: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)
_SQLITE_LACKS: Final = ("no such table", "no such column", "has no column named")
"""What SQLite says, with no code of its own, where a file has the tables of another version, or none."""

# The same for PostgreSQL: connection lost, a transaction that may only read (a standby, or a server after a failover)
# or was ended for its age, transaction rolled back (deadlock), out of resources, lock not available, cancelled,
# shutting down or starting, system error. https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES_AWAY: Final = ("08", "25006", "25P03", "25P04", "40", "53", "55P03", "57", "58")
_NO_RIGHT: Final = "42501"
_POSTGRES_LACKS: Final = ("42P01", "42703", "3F000")

_OTHER_TABLES: Final = "its tables are not those of this version: `insert-db upgrade`, or the version that made them"
_NO_RIGHT_REMEDY: Final = (
    "This user lacks that right: whoever owns the tables may grant it (GRANT), or name another user in "
    "INSERTS_DATABASE_URL"
)


def means_away(error: BaseException) -> bool:
    """Whether a driver's error, or SQLAlchemy's around it, means that the database is away or refuses."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code: int = getattr(cause, "sqlite_errorcode", 0)
        return (code & 0xFF) in _SQLITE_AWAY or _lacks(cause)
    if not isinstance(error, exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # psycopg raises these two without a state when the connection, not the server, has failed.
        return isinstance(error, exc.OperationalError | exc.InterfaceError)
    return str(state).startswith((*_POSTGRES_AWAY, _NO_RIGHT, *_POSTGRES_LACKS))


def sqlite_remedy(error: BaseException) -> str | None:
    """What to do about an error of SQLite's that has no code of its own."""
    return _OTHER_TABLES if _lacks(error) else None


def postgres_remedy(error: BaseException) -> str:
    """What to do about an error of PostgreSQL's driver, or what to think of first."""
    state = str(getattr(error, "sqlstate", None))
    if state == _NO_RIGHT:
        return _NO_RIGHT_REMEDY
    if state in _POSTGRES_LACKS:
        return _OTHER_TABLES[0].upper() + _OTHER_TABLES[1:]
    return "Is it running, and may it be reached from here?"


def _lacks(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and any(what in str(error) for what in _SQLITE_LACKS)
