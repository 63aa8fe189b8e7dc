"""The README names every command, and its picture is drawn as its script says."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.main import get_command

import db.commands.main
import producer.commands.main
import worker.commands.main

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURES = ROOT / "docs" / "pictures"
PROGRAMS: dict[str, Any] = {
    "insert-db": get_command(db.commands.main.app),
    "insert-station": get_command(producer.commands.main.app),
    "insert-worker": get_command(worker.commands.main.app),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_table_of_a_program_has_all_of_its_commands_and_no_others(program: str) -> None:
    section = re.search(rf"^## The \w+: `{program}`\n(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    assert section is not None
    first_cells = re.findall(r"^\| (`.*?) \|", section[1].split("### ")[0], re.MULTILINE)
    named = {name for cell in first_cells for name in re.findall(r"`([a-z-]+)", cell)}
    commands = PROGRAMS[program].commands
    assert commands.keys() - named - {"demo"} == set()
    assert named - set(names_of(PROGRAMS[program])) == set()


def names_of(command: Any) -> Iterator[str]:
    """The names of all commands below one."""
    for name, below in getattr(command, "commands", {}).items():
        yield name
        yield from names_of(below)


def test_its_map_of_the_code_has_every_folder() -> None:
    cells = re.findall(r"^\| (`.*?) \|", TEXT.split("## Where to find what in the code")[1], re.MULTILINE)
    named = {name.rpartition("/")[2] for cell in cells for name in re.findall(r"`([a-z_/*]+)`", cell)}
    packages = [ROOT / package for package in ("producer", "db", "worker")]
    folders = {file.parent for package in packages for file in package.rglob("__init__.py")}.difference(packages)
    assert {folder.name for folder in folders} == named


def test_its_first_screen_has_the_two_commands_and_a_picture_of_the_demos_result() -> None:
    first = "\n".join(TEXT.splitlines()[:30])
    assert re.findall(r"^make ([a-z-]+)", first, re.MULTILINE) == ["demo", "test"]
    assert re.findall(r"\]\(docs/pictures/([\w-]+\.png)\)", first) == ["demo.png"]
    shown = re.findall(r'<img src="docs/pictures/([\w-]+\.png)"', TEXT)
    assert shown == ["console-line.png", "console-review.png"]
    for name in ("demo.png", *shown):
        assert (PICTURES / name).stat().st_size < 150_000, name


def test_the_picture_frames_each_photograph_by_its_verdict(tmp_path: Path) -> None:
    drawn = runpy.run_path(str(PICTURES / "draw_demo.py"))
    verdicts = []
    for pocket, (outcome, truth) in enumerate([("intact", "intact"), ("damaged", "worn")], 1):
        Image.new("RGB", (64, 64), "#8090a0").save(tmp_path / f"{pocket}.jpg")
        (tmp_path / f"{pocket}.jpg.truth.json").write_text(json.dumps({"truth": truth}), encoding="utf-8")
        verdicts.append({"pocket": pocket, "outcome": outcome, "image": f"{pocket}.jpg"})
    sheet = drawn["drawn"](verdicts[::-1], tmp_path).convert("RGB")
    left, pitch = drawn["GAP"], drawn["SIDE"] + 2 * drawn["FRAME"] + drawn["GAP"]
    frames = [sheet.getpixel((left + place * pitch + 1, left + 1)) for place in (0, 1)]
    assert frames == [
        Image.new("RGB", (1, 1), drawn["COLOURS"][word]).getpixel((0, 0)) for word in ("intact", "damaged")
    ]
    corner = drawn["FRAME"] + drawn["SIDE"] - 10, drawn["FRAME"] + 10
    dots = [sheet.getpixel((left + place * pitch + corner[0], left + corner[1])) for place in (0, 1)]
    assert dots[1] == Image.new("RGB", (1, 1), drawn["INK"]).getpixel((0, 0)) != dots[0]
