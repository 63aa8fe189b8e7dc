"""`insert-worker demo`, as a newcomer runs it, in a folder of the test's own."""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image
from selenium import webdriver

from producer.simulation.head import write_labelled_folder
from producer.terminal.exit_codes import INTERRUPTED
from tests.forked_commands import RunningCommand, run_command, start_command
from tests.support import program, wait_until


def start_demo(folder: Path, *options: str) -> RunningCommand:
    return start_command("insert-worker", "demo", *options, "--data", str(folder), log=folder.with_suffix(".log"))


def processes_below(folder: Path) -> list[str]:
    """The command lines of running processes that name something in `folder`, work on its data or in a folder below."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            line = " ".join(process.info["cmdline"] or [])
            places = process.environ().get("INSERTS_DATA", ""), process.cwd()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if process.status() != psutil.STATUS_ZOMBIE and any(str(folder) in place for place in (line, *places)):
            found.append(line)
    return found


def ask(command: str, folder: Path, *options: str) -> Any:
    return json.loads(run_command("insert-db", "--data", str(folder), command, *options, "--json").stdout)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's own few photographs, one of which is none."""
    folder = tmp_path_factory.mktemp("user") / "mine"
    write_labelled_folder(folder, 40, seed=1, size=256)
    (folder / "intact").rename(folder / "good")
    (folder / "worn" / "broken.jpg").write_bytes(b"not an image")
    return folder


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of a demo that has ended, and its figures. Nobody changes it."""
    folder = tmp_path_factory.mktemp("ended") / "demo"
    command = [program("insert-worker"), "demo", "--data", str(folder), "--json"]
    demo = subprocess.run(command, capture_output=True, text=True, check=False)
    assert demo.returncode == 0, demo.stderr
    return folder, json.loads(demo.stdout)


def test_the_demo_ends_with_one_verdict_for_each_capture(ended: tuple[Path, dict[str, Any]]) -> None:
    folder, figures = ended
    assert list(figures) == [
        *("captures", "verdicts", "lost", "duplicates", "unsure", "missed", "needless"),
        *("accuracy", "balanced_accuracy", "seconds", "p50_ms", "p95_ms"),
    ]
    assert (figures["captures"], figures["verdicts"], figures["lost"], figures["duplicates"]) == (90, 90, 0, 0)
    assert figures["balanced_accuracy"] > 0.8  # rendered inserts, the embedded network: well above chance
    assert figures["unsure"] < 45  # a person looks at some, not at most
    assert 0 < figures["p50_ms"] <= figures["p95_ms"]
    assert processes_below(folder) == []

    checks = ask("checks", folder)
    assert [check["state"] for check in checks].count("pending") == 0
    assert len(checks) == 3
    verdicts = ask("verdicts", folder, "--limit", "1000")
    assert len(verdicts) == 90
    assert all(0 <= row["probability"] <= 1 for row in verdicts)
    assert [row["outcome"] for row in verdicts].count("unsure") == figures["unsure"]
    # After an answer that says so inserts are changed, so lives have ended.
    assert any(row["operation"] != "op-0001" and row["operations_on_edge"] == 1 for row in verdicts)
    assert ask("life", folder)["fit"]["ended"] >= 5
    newest = max(checks, key=lambda check: check["started_at"])
    assert {row["pocket"] for row in ask("replace", folder)["items"]} == set(newest["replace"])
    truths = list((folder / "images").rglob("*.truth.json"))
    assert len(truths) == 90
    # The folder is a whole line: what judged in it is in it.
    environment = {name: value for name, value in os.environ.items() if name != "INSERTS_NETWORKS"}
    listing = ("networks", "list", "--data", str(folder), "--json")
    listed = run_command("insert-worker", *listing, environment=environment)
    assert len(json.loads(listed.stdout)) == 1


PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
NAMES = ("line", "review", "pocket", "models")

ALIKE = 10.0
"""The mean difference of two pictures in a grid of 60 by 45, of 255: fonts and verdicts differ; a changed page more."""


def coarse(file: Path) -> np.ndarray:
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB").resize((60, 45), Image.Resampling.BOX), dtype=float)


def test_the_documents_pictures_are_of_the_pages_that_a_demo_leaves(
    chromium: webdriver.Chrome, ended: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    runpy.run_path(str(PICTURES / "draw_console.py"))["draw"](ended[0], tmp_path, chromium)
    drawn = {name: coarse(tmp_path / f"console-{name}.png") for name in NAMES}
    shown = {name: coarse(PICTURES / f"console-{name}.png") for name in NAMES}
    apart = {name: float(np.abs(drawn[name] - shown[name]).mean()) for name in NAMES}
    redraw = "make demo && .venv/bin/python docs/pictures/draw_console.py var/demo"
    assert {name: by for name, by in apart.items() if by > ALIKE} == {}, redraw
    # Other pages than one's own are further apart: what is compared can be told apart.
    assert min(np.abs(drawn["line"] - shown[other]).mean() for other in NAMES if other != "line") > 1.5 * ALIKE


def test_at_a_terminal_the_head_of_the_user_s_own_photographs_stays_to_be_seen(mine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [program("insert-worker"), "demo", "--dataset", str(mine), "--intact-class", "good", "--data", folder]
    ours, its = os.openpty()
    demo = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=os.environ | {"COLUMNS": "200"})
    os.close(its)
    printed = ""
    while "Enter ends the demo" not in printed:
        printed += os.read(ours, 4096).decode()  # raises where the demo ended
    assert "1 skipped" in printed
    assert "broken.jpg: this is no image" in printed
    assert "12 captures, 12 verdicts, 0 lost, 0 duplicates" in printed
    address = re.findall(r"http://127\.0\.0\.1:\d+/board", printed)[-1]
    with urllib.request.urlopen(address, timeout=30) as page:  # noqa: S310 - ours; nobody has an account yet
        assert "sim-head" in page.read().decode()
    os.write(ours, b"\n")
    assert demo.wait(60) == 0
    os.close(ours)
    assert processes_below(folder) == []


@pytest.mark.parametrize(("name", "log_file"), [(signal.SIGINT, "render.log"), (signal.SIGTERM, "worker.log")])
def test_a_stopped_demo_leaves_no_process_behind(
    mine: Path, tmp_path: Path, name: signal.Signals, log_file: str
) -> None:
    folder = tmp_path / "demo"
    # Few photographs to learn from: it is sooner at its worker.
    own = [] if log_file == "render.log" else ["--dataset", str(mine), "--intact-class", "good"]
    demo = start_demo(folder, *own)
    wait_until(lambda: (folder / "logs" / log_file).exists(), 60, "the moment to stop it")
    demo.send_signal(name)
    assert demo.wait(60) == INTERRUPTED
    assert "stopped" in folder.with_suffix(".log").read_text()
    assert processes_below(folder) == []


def test_a_killed_demo_takes_its_processes_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    demo = start_demo(folder)
    # Not the demo alone, which is below its folder too: what outlives it must have been there.
    wait_until(lambda: all(any(of in line for line in processes_below(folder)) for of in ("redis", "simulate")), 60)
    demo.kill()
    demo.wait()
    wait_until(lambda: processes_below(folder) == [], 30, "the end of all its processes")
    assert "stopped" not in folder.with_suffix(".log").read_text(), "it had no time to end them"


def test_a_folder_that_is_not_a_demo_s_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    ended = run_command("insert-worker", "demo", "--data", str(tmp_path))
    assert ended.returncode == 2
    assert "not a demo's" in ended.stderr
    assert (tmp_path / "precious.txt").read_text() == "mine"
