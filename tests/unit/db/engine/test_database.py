import sqlite3

import pytest
from sqlalchemy import exc

from db.engine.database import Database, DatabaseUnavailable, is_unavailable
from db.engine.url import parse_url, shown


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/n", "nonsense secret", ""])
def test_a_url_that_is_none_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///FILE") as refused:
        Database(url)
    assert "secret" not in str(refused.value)


def test_a_password_is_never_shown() -> None:
    url = "postgresql://user:secret@host/name"
    assert shown(url) == "postgresql+psycopg://user:***@host/name"
    assert "secret" not in repr(Database(url))


def test_postgresql_is_always_spoken_to_through_psycopg() -> None:
    assert parse_url("postgresql://h/n").drivername == "postgresql+psycopg"


def sqlite_error(code: int) -> exc.OperationalError:
    cause = sqlite3.OperationalError("as SQLite says")
    cause.sqlite_errorcode = code
    return exc.OperationalError("SELECT 1", None, cause)


@pytest.mark.parametrize(
    "code",
    [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_FSYNC],
)
def test_a_database_that_is_away_is_waited_for(code: int) -> None:
    assert is_unavailable(sqlite_error(code))


@pytest.mark.parametrize("code", [sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_MISMATCH])
def test_a_statement_that_is_wrong_is_not(code: int) -> None:
    assert not is_unavailable(sqlite_error(code))


@pytest.mark.parametrize(
    "lacks", ["no such table: verdicts", "no such column: captures.x", "table captures has no column named x"]
)
def test_a_file_with_the_tables_of_another_version_is_waited_for(lacks: str) -> None:
    cause = sqlite3.OperationalError(lacks)
    assert is_unavailable(exc.OperationalError("SELECT 1", None, cause))


def test_only_errors_of_the_database_count() -> None:
    assert is_unavailable(DatabaseUnavailable("away"))
    assert is_unavailable(exc.TimeoutError("the pool is exhausted"))
    assert not is_unavailable(ValueError("locked"))
    assert not is_unavailable(OSError("locked"))
