"""A backup of PostgreSQL: `pg_dump` and `pg_restore` in the custom format, as every administrator knows it.

Both are PostgreSQL's own programs and come with its client package. A password goes to them in their environment, never
on a command line, which every user of the machine can read.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from psycopg.conninfo import make_conninfo
from sqlalchemy import text

from db.backup.contents import BackupError, count_rows, rows_of
from db.engine import migrate, schema_version
from db.engine.database import engine_for
from db.engine.engines import WAIT_SECONDS
from db.engine.url import PREPARE, parse_url, shown

# PostgreSQL's programs take these from their environment too, which other users cannot read.
_SECRETS: Final = {"password": "PGPASSWORD", "passfile": "PGPASSFILE"}

_IN_USE: Final = ("deadlock detected", "lock timeout")
"""What PostgreSQL says where another process does not let go of a table."""


def write(url: str, target: Path) -> tuple[str, dict[str, int]]:
    """Dump the database into a new file; its schema's revision and its rows at the moment of the dump.

    Raises:
        BackupError: `pg_dump` is missing, older than the server, or has failed.
        SQLAlchemyError: the database is away.
    """
    # The rows are counted in the snapshot that is dumped, so that they agree while the line goes on.
    with engine_for(url) as engine, engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        program = _program("pg_dump", _server_major(connection.scalar(text("SHOW server_version_num"))))
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        rows, revision = count_rows(connection), schema_version.revision_of(connection)
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", "--no-password"]
        _run(url, program, [*options, f"--lock-wait-timeout={WAIT_SECONDS}s", f"--file={target}"])
    return revision or "", rows


def read(url: str, source: Path, revision: str, note: Callable[[str], None]) -> None:
    """Bring a dump back, in one transaction: what is in the database goes with the same commit.

    Args:
        url: of the database.
        source: the dump.
        revision: the schema that it has.
        note: is called with the URL as soon as the dump is back.

    Raises:
        BackupError: `pg_restore` is missing, older than the server, or has failed; or what is there has another
            schema than the dump, so that one cannot take the other's place.
        SQLAlchemyError: the database is away.
    """
    with engine_for(url) as engine, engine.connect() as connection:
        program = _program("pg_restore", _server_major(connection.scalar(text("SHOW server_version_num"))))
    there = migrate.current(url)
    if there not in (None, revision):
        if sum(rows_of(url).values()):
            raise BackupError(
                f"{shown(url)} has schema {there} and the backup {revision}, so one cannot take the other's place: "
                "restore into a new, empty database, or empty this one with `insert-db downgrade base`"
            )
        migrate.downgrade(url, "base")
    options = ["--no-owner", "--no-privileges", "--clean", "--if-exists", "--no-password"]
    # A lock that is not to be had ends it with an error, rather than waiting behind a worker for ever.
    environment = {"PGOPTIONS": f"-c lock_timeout={WAIT_SECONDS}s"}
    _run(url, program, [*options, "--single-transaction", "--exit-on-error", str(source)], environment)
    note(url)


def _program(name: str, server: int) -> str:
    """The path of one of PostgreSQL's programs that is as new as the server.

    Raises:
        BackupError: there is none; the message says what to install.
    """
    install = f"install PostgreSQL's client programs of version {server} or newer (Debian: postgresql-client-{server})"
    path = shutil.which(name)
    if path is None:
        raise BackupError(f"{name} is not here: {install}")
    output = subprocess.run(
        [path, "--version"], capture_output=True, text=True, errors="replace", timeout=30, check=False
    ).stdout
    version = re.search(r"\) (\d+)", output)
    if version is None or int(version[1]) < server:
        raise BackupError(
            f"{path} is {output.strip() or 'broken'}, older than the server's PostgreSQL {server}: {install}"
        )
    return path


def _server_major(version_number: str | None) -> int:
    return int(version_number or 0) // 10_000


def _run(url: str, program: str, options: list[str], environment: Mapping[str, str] | None = None) -> None:
    """Run one of PostgreSQL's programs on the database.

    Raises:
        BackupError: it failed; the message is its own.
    """
    command = [program, "--dbname", _conninfo(url), *options]
    variables = _environment(url) | dict(environment or {})
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=variables, check=False)
    if done.returncode:
        problem = done.stderr.strip() or f"exit code {done.returncode}"
        in_use = any(words in problem for words in _IN_USE)
        hint = ". Another process uses the database: end workers, beat, console and `standalone`, and try again"
        raise BackupError(f"{Path(program).name} failed: {problem}{hint if in_use else ''}")


def _arguments(url: str) -> dict[str, str]:
    """The URL as parameters of libpq's."""
    parsed = parse_url(url).difference_update_query([PREPARE])
    _, arguments = parsed.get_dialect()().create_connect_args(parsed)
    return {name: str(value) for name, value in arguments.items()}


def _conninfo(url: str) -> str:
    """The connection's parameters without its secrets."""
    if "sslpassword" in _arguments(url):
        raise BackupError("the URL has an sslpassword, which cannot be handed on safely: use a key without one")
    return make_conninfo(**{name: value for name, value in _arguments(url).items() if name not in _SECRETS})


def _environment(url: str) -> dict[str, str]:
    secrets = {_SECRETS[name]: value for name, value in _arguments(url).items() if name in _SECRETS}
    return {**os.environ, "PGAPPNAME": "insert-inspection", **secrets}
