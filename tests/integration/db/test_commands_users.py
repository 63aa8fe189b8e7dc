"""`insert-db users` and the beginning of `insert-db console`, within this process and at a terminal."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.commands.main import main
from db.people import accounts, audit, sessions
from db.people.session_limits import Limits
from producer.terminal.exit_codes import FAILED
from tests.command_support import Done, invoke
from tests.support import program, wait_until
from worker.embedded.redis_server import free_port

PASSWORD = "a password of the tests"

pytestmark = pytest.mark.usefixtures("hash_with_least_effort")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\nand more\n", encoding="utf-8")
    return file


def run(database, *arguments: object) -> Done:
    return invoke(main, "--database", database.url, *arguments)


def may_sign_in(database, name: str, password: str = PASSWORD) -> bool:
    with database.reading() as session:
        return accounts.signed_in(session, name, password) is not None


def test_an_account_is_made_listed_disabled_and_given_another_password(database, secret, monkeypatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    assert "no account yet" in run(database, "users", "list").stdout
    assert run(database, "users", "add", "ana", "--role", "reviewer", "--password-file", secret).exit_code == 0
    assert may_sign_in(database, "ana")
    (listed,) = json.loads(run(database, "users", "list", "--json").stdout)
    assert (listed["name"], listed["role"], listed["disabled"]) == ("ana", "reviewer", False)
    assert "password" not in listed

    assert run(database, "users", "disable", "ana").exit_code == 0
    assert not may_sign_in(database, "ana")
    secret.write_text("another password\n", encoding="utf-8")
    assert run(database, "users", "password", "ana", "--password-file", secret).exit_code == 0
    assert may_sign_in(database, "ana", "another password")
    assert not may_sign_in(database, "ana")
    with database.reading() as session:
        done = [(entry.by, entry.action) for entry in audit.recent(session)][::-1]
    assert done == [("terminal: root", f"{what}") for what in ("account added", "account disabled", "password changed")]


def test_another_role_holds_at_once_and_is_in_the_audit(database, secret) -> None:
    run(database, "users", "add", "ana", "--role", "reviewer", "--password-file", secret)
    now, limits = datetime.now(UTC), Limits(idle=timedelta(hours=1), longest=timedelta(hours=1))
    with database.transaction() as session:
        cookie = sessions.begin(session, "ana", now, limits)
    assert run(database, "users", "role", "ana", "maintainer").stdout == "ana is maintainer now\n"
    assert "already" in run(database, "users", "role", "ana", "maintainer").stdout
    with database.reading() as session:
        person, _ = sessions.person_of(session, cookie, now, limits)
        changes = [(row.subject, row.detail) for row in audit.recent(session) if row.action == "role changed"]
    assert (person.role, changes) == ("maintainer", [("ana", {"role": "maintainer"})])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "ana"), "there is an account 'ana' already"),
        (("role", "bert", "viewer"), "there is no account 'bert'"),
        (("disable", "bert"), "there is no account 'bert'"),
        (("password", "bert"), "there is no account 'bert'"),
        (("add", "a/b"), "a name may have"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(database, secret, arguments, words) -> None:
    run(database, "users", "add", "ana", "--password-file", secret)
    password = () if arguments[0] in ("disable", "role") else ("--password-file", secret)
    done = run(database, "users", *arguments, *password)
    assert done.exit_code != 0
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_a_password_of_another_length_is_refused(database, secret, password) -> None:
    secret.write_text(password, encoding="utf-8")
    assert "10 to 200 characters" in run(database, "users", "add", "ana", "--password-file", secret).stderr


def test_no_password_is_an_argument_and_none_is_asked_for_without_a_terminal(database) -> None:
    assert "--password-file" in run(database, "users", "add", "ana").stderr
    assert run(database, "users", "add", "ana", "--password", PASSWORD).exit_code == 2


def test_the_first_start_at_a_terminal_asks_for_the_first_account(sqlite_url, tmp_path) -> None:
    """A real terminal, a real process: what is typed for the password is not shown."""
    person, terminal = pty.openpty()
    command = [program("insert-db"), "--database", sqlite_url, "console", "--port", str(free_port())]
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, cwd=tmp_path, start_new_session=True
    )
    os.close(terminal)
    shown = bytearray()
    os.set_blocking(person, False)

    def see(words: bytes) -> bool:
        with contextlib.suppress(BlockingIOError):
            shown.extend(os.read(person, 4096))
        return words in shown

    try:
        for words, typed in (
            (b"administrator's name", b"ana\n"),
            (b"password (10 to 200 characters):", None),
            (b"once more:", None),
        ):
            wait_until(lambda words=words: see(words), 60, str(words))
            os.write(person, typed or PASSWORD.encode() + b"\n")
        wait_until(lambda: see(b"http://127.0.0.1:"), 60, "the address")
    finally:
        process.terminate()
        process.wait(30)
        os.close(person)
    assert PASSWORD.encode() not in shown


def test_a_console_without_a_terminal_says_how_to_make_an_account_and_ends_well(sqlite_url, tmp_path) -> None:
    port = free_port()
    command = [program("insert-db"), "--database", sqlite_url, "console", "--port", str(port)]
    with (tmp_path / "log").open("w+b") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=tmp_path)
        try:
            wait_until(lambda: _listens(port), 60, "the console")
        finally:
            process.terminate()
        assert process.wait(30) == 0
    said = (tmp_path / "log").read_bytes()
    assert b"users add NAME --role administrator" in said
    assert f"http://127.0.0.1:{port}/".encode() in said


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(("make", "option"), [("", "--port"), ("1", "PORT=")])
def test_a_console_on_a_port_that_is_taken_says_so(database, monkeypatch, make, option) -> None:
    monkeypatch.setenv("MAKELEVEL", make)
    if not make:
        monkeypatch.delenv("MAKELEVEL")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(database, "console", "--port", taken.getsockname()[1])
    assert done.exit_code == FAILED
    assert "http://" not in done.stdout
    assert "is in use" in done.stderr
    assert done.stderr.endswith(f"choose another with {option}\n"), "as make console takes it, where that was called"
