from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from producer.terminal.programs import as_typed


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
