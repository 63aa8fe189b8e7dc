from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from worker.commands.main import app

FIGURES = Path(__file__).parents[4] / "worker" / "planning" / "reference_figures.json"
LOAD = (
    "--inserts",
    "30",
    "--every",
    "60",
    "--backbone",
    "mobilenet:conv_pw_12_relu+gap+int8",
    "--figures",
    str(FIGURES),
)


@pytest.fixture(autouse=True)
def measured_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_BACKBONE", "mobilenet:conv_pw_12_relu+gap+int8")


def run(*options: str) -> Result:
    return CliRunner().invoke(app, ["plan", *options])


def test_a_table_has_a_column_for_each_number_of_stations() -> None:
    said = run("--stations", "1", "--stations", "1000", *LOAD)
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert lines[0] == "| stations | 1 | 1,000 |"
    assert all(line.count("|") == 4 for line in lines[: lines.index("")])
    assert "| captures/s | 0.5 | 500.0 |" in lines
    assert any(line.startswith("warning, 1,000 stations: ") for line in lines)


def test_a_program_reads_the_same() -> None:
    told = json.loads(run("--stations", "40", *LOAD, "--json").stdout)
    (needs,) = told["plans"]
    assert needs["load"] == {"stations": 40, "inserts": 30, "every": 60.0}
    assert needs["workers"] >= 1
    assert 0 < needs["waits"]["utilisation"] <= 0.8
    assert needs["ends_first"]["stations"] > 0
    assert told["figures"]["worker"]["per_second"] > 0


def test_given_figures_count() -> None:
    slow = json.loads(run("--stations", "40", *LOAD, "--per-second", "1", "--cores", "8", "--json").stdout)
    assert slow["plans"][0]["workers"] == 25  # 20 captures a second at 0.8
    assert slow["plans"][0]["cores"] == 200


def test_without_figures_it_says_how_to_come_by_them(tmp_path: Path) -> None:
    said = run("--stations", "1", "--inserts", "30", "--every", "60", "--figures", str(tmp_path / "none.json"))
    assert said.exit_code == 1
    assert "make bench NAMES=plan_*" in str(said.exception)


@pytest.mark.slow
def test_it_loads_neither_the_network_nor_a_database() -> None:
    arguments = ["plan", "--stations", "1", *LOAD]
    code = (
        f"import sys, worker.commands.main\ntry: worker.commands.main.app({arguments!r})\n"
        "except SystemExit: print(*{'tensorflow', 'keras', 'sklearn', 'sqlalchemy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == ""


def test_a_machine_that_was_not_measured_is_planned_for_like_the_reference_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    load = ("--stations", "1", *LOAD[:-2])
    said = run(*load)
    assert said.exit_code == 0
    assert "the reference machine's figures" in said.stderr
    own = json.loads(FIGURES.read_text("utf-8"))
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "bench.json").write_text(json.dumps(own | {"plan_cores": {"value": 64}}), "utf-8")
    said = run(*load, "--json")
    assert said.stderr == ""
    assert json.loads(said.stdout)["figures"]["worker"]["cores"] == 64
