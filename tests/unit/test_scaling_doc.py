"""What the document says is computed, and its commands and settings, are held against the code."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

import db.commands.main
import worker.commands.main
from benchmarks.run import BENCHMARKS
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "scaling.md").read_text("utf-8")
TEXT = " ".join(DOCUMENT.split())


def test_its_table_is_what_the_command_says(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("INSERTS_BACKBONE", raising=False)
    (command,) = re.findall(r"`insert-worker (plan --stations 1 [^`]*worker/planning/reference_figures\.json)`", TEXT)
    said = CliRunner().invoke(worker.commands.main.app, command.split())
    assert said.exit_code == 0
    table = said.output[: said.output.index("\n\n")]
    assert table.count("\n") >= 12
    assert f"\n\n{table}\n\n" in DOCUMENT


def test_its_commands_are_there() -> None:
    for program, app in (("insert-worker", worker.commands.main.app), ("insert-db", db.commands.main.app)):
        named = re.findall(rf"`{program} ([a-z]+)", TEXT)
        assert named
        assert set(named) <= get_command(app).commands.keys()  # type: ignore[attr-defined]


def test_its_settings_and_benchmarks_are_there() -> None:
    named = {name.lower() for name in re.findall(r"INSERTS_([A-Z_]+)", TEXT)}
    assert named
    assert named <= WorkerSettings.model_fields.keys()
    assert set(re.findall(r"NAMES=([a-z_]+)", TEXT)) - {"plan_"} <= BENCHMARKS.keys()
