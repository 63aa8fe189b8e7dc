"""A SQLite file that may only be read, by a real process that may not write it; and errors that name the file."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from db.engine import engines
from db.engine.database import Database, DatabaseUnavailable, SchemaOutdated
from db.engine.migrate import upgrade
from db.engine.url import sqlite_url
from db.retention.disk_space import free_bytes, vacuum

# Root may write everything, unless it is told not to.
_NO_MORE_THAN_OTHERS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
_NO_MORE_THAN_OTHERS += ["--inh-caps", "-dac_override,-dac_read_search"]

pytestmark = pytest.mark.skipif(
    os.name == "nt" or (os.geteuid() == 0 and shutil.which("setpriv") is None),
    reason="needs a process that files can be closed to",
)

READING = (["verdicts"], ["checks"], ["replace"], ["faults", "list"], ["models"], ["review", "--list"], ["reviews"])
READING += (["export", "-"], ["prune", "--dry-run"], ["shadow"])


def insert_db(data: Path, *commands: list[str]) -> list[str]:
    """What each command said, all in one process; each line of stderr begins with `insert-db:`."""
    program = """
import json, sys
import db.commands.main
data, commands = sys.argv[1], json.loads(sys.argv[2])
for command in commands:
    sys.stderr = sys.stdout
    try:
        sys.argv = ["insert-db", "--data", data, *command]
        db.commands.main.main()
    except SystemExit as ended:
        print("exit code", ended.code)
"""
    prefix = _NO_MORE_THAN_OTHERS if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, sys.executable, "-c", program, str(data), json.dumps(commands)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "line [red] 50% é"
    upgrade(sqlite_url(folder / "inserts.db"))
    yield folder
    folder.chmod(0o755)
    (folder / "inserts.db").chmod(0o644)


@contextmanager
def closed(data: Path, *, folder: bool) -> Iterator[None]:
    for file in data.iterdir():
        file.chmod(0o444)
    data.chmod(0o555 if folder else 0o755)
    yield
    data.chmod(0o755)


@pytest.mark.parametrize("folder", [False, True], ids=["the file", "its folder too"])
def test_every_reading_command_reads_what_may_only_be_read_and_leaves_nothing_behind(data: Path, folder: bool) -> None:
    with closed(data, folder=folder):
        said = insert_db(data, *READING, ["history", "m", "h", "1"])
    assert said.count("exit code 0") == len(READING), said
    assert said[-2:] == ["insert-db: nothing is known of machine m, head h", "exit code 2"]
    assert [file.name for file in data.iterdir()] == ["inserts.db"]
    # Nothing was left there that would keep a writer from it later.
    (data / "inserts.db").chmod(0o644)
    with Database(sqlite_url(data / "inserts.db")).transaction():
        pass


def test_it_is_read_beside_a_writer_and_with_what_that_has_written(data: Path) -> None:
    with closing(sqlite3.connect(data / "inserts.db", isolation_level=None)) as writer:
        writer.execute(
            "INSERT INTO checks VALUES (?, 's', 'm', 'h', 'o', 1, '2026-11-27 10:00:00.000000', 1, 0, 0)", ["a" * 32]
        )
        assert (data / "inserts.db-wal").stat().st_size > 0
        with closed(data, folder=True):
            said = insert_db(data, ["checks"])
    assert "exit code 0" in said
    assert any("pending" in line for line in said), said


def test_a_writing_command_says_that_it_may_not_and_names_the_file(data: Path) -> None:
    capture = "0192f0c4-0000-7000-8000-000000000000"
    commands = [["review", "--capture", capture, "--label", "worn"], ["upgrade"], ["faults", "dismiss", "1"]]
    with closed(data, folder=True):
        said = insert_db(data, *commands)
    told = [line for line in said if line.startswith("insert-db:")]
    assert said.count("exit code 2") == len(told) == len(commands), said
    assert all("readonly" in line and str(data / "inserts.db") in line for line in told), told


def test_a_missing_file_is_not_made_and_a_newer_schema_is_told_from_an_older(data: Path, tmp_path: Path) -> None:
    said = insert_db(tmp_path / "nowhere", ["checks"])
    assert any("there is no database at" in line for line in said)
    assert not (tmp_path / "nowhere").exists()
    file = data / "inserts.db"
    for revision, advice in (("0001", "run `insert-db upgrade`"), ("9999", "newer version of this program")):
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        with pytest.raises(SchemaOutdated, match=advice):
            Database(sqlite_url(file), reads_only=True).check_schema()


def test_a_file_that_changes_while_it_is_read_as_one_that_does_not_is_noticed(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.engine.sqlite_read_only.os.access", lambda *_: False)
    database, file = Database(sqlite_url(data / "inserts.db"), reads_only=True), data / "inserts.db"
    with database.reading():
        pass

    def write_meanwhile() -> None:
        with database.reading(), closing(sqlite3.connect(file)) as writer:
            writer.execute("CREATE TABLE other (a)")

    with pytest.raises(DatabaseUnavailable, match="was written while it was read"):
        write_meanwhile()


# ------------------------------------------------------------------------------------ errors name the file


def test_a_locked_database_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a command has an engine of its own for one question."""
    monkeypatch.setattr(engines, "WAIT_SECONDS", 0.1)
    file = data / "inserts.db"
    url = sqlite_url(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for ask in (Database(url).transaction().__enter__, partial(free_bytes, url), partial(vacuum, url)):
            with pytest.raises(DatabaseUnavailable, match="locked") as caught:
                ask()
            assert str(file) in str(caught.value)


def test_a_full_disk_is_named(data: Path) -> None:
    file = data / "inserts.db"
    database = Database(sqlite_url(file))

    def write_too_much() -> None:
        with database.transaction() as session:
            connection = session.connection()
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            connection.exec_driver_sql("CREATE TABLE large AS SELECT randomblob(1000000) AS a")

    with pytest.raises(DatabaseUnavailable, match="full") as caught:
        write_too_much()
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("content", [b"this is no database, " * 1000, None])
def test_what_cannot_be_opened_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "inserts.db"
    file.write_bytes(content) if content is not None else file.mkdir()
    for reads_only in (False, True):
        with pytest.raises(DatabaseUnavailable) as caught, Database(sqlite_url(file), reads_only=reads_only).reading():
            pass
        assert str(file) in str(caught.value)
