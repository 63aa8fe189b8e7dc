from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from producer.terminal.programs import as_typed, copyable


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with programs, of which one is this interpreter's."""
    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "insert-db").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "insert-db").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", os.defpath)
    return folder


def test_on_the_path_its_name_does(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(installed))
    assert as_typed("insert-db") == "insert-db"


def test_in_an_environment_that_is_not_active_it_is_a_path(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(installed.parents[1])
    assert as_typed("insert-db") == os.path.join("venv", "bin", "insert-db")  # noqa: PTH118
    monkeypatch.chdir("/")
    assert as_typed("insert-db") in (str(installed / "insert-db"), os.path.relpath(installed / "insert-db"))


def test_what_is_not_installed_beside_it_keeps_its_name(installed: Path) -> None:
    assert as_typed("insert-nothing") == "insert-nothing"


def told(monkeypatch: pytest.MonkeyPatch, message: str, *typed: str) -> str:
    """The message as a command that was typed so tells it."""
    monkeypatch.setattr(sys, "executable", os.devnull + "/python")  # nothing is installed there: names stay names
    monkeypatch.setattr(sys, "argv", list(typed))
    return copyable(message)


@pytest.mark.parametrize(
    ("typed", "hint", "copied"),
    [
        ("insert-db --data var/demo users list", "insert-db upgrade", "insert-db --data var/demo upgrade"),
        ("insert-db --data=var/demo users list", "insert-db upgrade", "insert-db --data var/demo upgrade"),
        ("insert-db --data a --data b checks", "insert-db upgrade", "insert-db --data b upgrade"),
        (
            "insert-db --database sqlite:///a.db checks",
            "insert-db upgrade",
            "insert-db --database sqlite:///a.db upgrade",
        ),
        ("insert-db --database sqlite:///a.db checks", "insert-worker learn", "insert-worker learn"),
        ("insert-db users list", "insert-db users add NAME", "insert-db users add NAME"),
        ("insert-worker models list --data a", "insert-worker train FOLDER", "insert-worker train FOLDER --data a"),
        ("insert-worker models list --data a", "insert-db review", "insert-db --data a review"),
        ("insert-worker models list --data a", "insert-worker plan --help", "insert-worker plan --help"),
        (
            "insert-station --data a --station s-2 publish i.jpg",
            "insert-station outbox",
            "insert-station --data a --station s-2 outbox",
        ),
        ("insert-db --data a users list", "insert-db --data b upgrade", "insert-db --data b upgrade"),
        ("insert-db --data a users list", "insert-db", "insert-db --data a"),
        ("insert-db --data a users list", "keras.models", "keras.models"),
    ],
)
def test_a_hint_is_about_the_line_that_the_command_was_about(
    monkeypatch: pytest.MonkeyPatch, typed: str, hint: str, copied: str
) -> None:
    assert told(monkeypatch, f"none: `{hint}` makes one", *typed.split()) == f"none: `{copied}` makes one"


def test_a_folder_with_a_space_stays_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    message = told(monkeypatch, "`insert-db upgrade`", "insert-db", "--data", "our line", "checks")
    assert message == "`insert-db --data 'our line' upgrade`"


def test_no_hint_has_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql+psycopg://line:secret@db/inserts"
    assert "secret" not in told(monkeypatch, "`insert-db upgrade`", "insert-db", "--database", url, "checks")


def test_where_the_environment_names_the_database_a_workers_folder_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    # `insert-db --data` alone means the folder's own database.
    monkeypatch.setenv("INSERTS_DATABASE_URL", "sqlite:///plant.db")
    typed = ("insert-worker", "models", "list", "--data", "a")
    assert told(monkeypatch, "`insert-db review` or `insert-worker learn`", *typed) == (
        "`insert-db review` or `insert-worker learn --data a`"
    )
    assert told(monkeypatch, "`insert-db review`", "insert-db", "--data", "a", "x") == "`insert-db --data a review`"


def test_a_hint_is_typed_as_the_shell_finds_it(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(installed.parents[1])
    monkeypatch.setattr(sys, "argv", ["insert-db"])
    assert copyable("`insert-db upgrade`") == "`venv/bin/insert-db upgrade`"
