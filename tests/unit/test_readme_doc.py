"""The README names every command and folder, and its picture is drawn as its script says."""

from __future__ import annotations

import itertools
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


def rows_of(program: str) -> list[tuple[str, str]]:
    """The rows of a program's table: the commands, and what is said of them."""
    section = re.search(rf"^## The \w+: `{program}`\n(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    assert section is not None
    return re.findall(r"^\| (`.*?) \| (.*) \|$", section[1].split("### ")[0], re.MULTILINE)


def commands_of(program: str) -> set[tuple[str, ...]]:
    """All commands of a program, each with the groups that it is in."""

    def below(command: Any, groups: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from below(inner, (*groups, name))
        if not hasattr(command, "commands"):
            yield groups

    return set(below(PROGRAMS[program], ()))


def words_of(code: str) -> tuple[str, ...]:
    """The names of commands that a piece of code begins with: `users token add`, `draw IMAGE`."""
    return tuple(itertools.takewhile(re.compile("[a-z][a-z-]*").fullmatch, code.split()))


def in_document(command: tuple[str, ...], text: str) -> bool:
    """Whether a document names a command, in full or at the beginning of a row of its table."""
    return re.search(rf"\b{' '.join(command)}\b", text) is not None or f"\n| `{command[-1]}" in text


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_is_in_a_row_of_its_program_or_in_the_document_that_the_row_names(program: str) -> None:
    commands, named = commands_of(program), set[tuple[str, ...]]()
    for names, said in rows_of(program):
        first, *others = map(words_of, re.findall(r"`([^`]+)`", f"{names} {said}"))
        group = first if first not in commands else first[:-1]
        named |= {first, *others, *((*group, *other) for other in others)}
        texts = [(ROOT / path).read_text("utf-8") for path in re.findall(r"\]\((docs/[\w-]+\.md)", said)]
        if group:
            inside = (command for command in commands if command[: len(group)] == group)
            named |= {command for command in inside if any(in_document(command, text) for text in texts)}
    assert commands - named - {("demo",)} == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_row_names_only_commands_that_there_are(program: str) -> None:
    parts = {part for command in commands_of(program) for part in command}
    named = {
        word for names, _ in rows_of(program) for code in re.findall("`([^`]+)`", names) for word in words_of(code)
    }
    assert named - parts == set()


def folders_in(cell: str) -> Iterator[str]:
    """The folders that a cell of the map names; a name alone lies beside the first one, or after `its` in that."""
    first, *others = re.findall(r"(?:(its) )?`([a-z_/*]+)`", cell)
    inside = False
    yield first[1]
    for its, name in others:
        inside = inside or bool(its)
        beside = first[1] if inside else first[1].rpartition("/")[0]
        yield name if "/" in name else f"{beside}/{name}"


def test_its_map_of_the_code_has_every_folder_once() -> None:
    cells = re.findall(r"^\| (`.*?) \|", TEXT.split("## Where to find what in the code")[1], re.MULTILINE)
    packages = ("producer", "db", "worker")
    named = [
        name.replace("*", package)
        for cell in cells
        for name in folders_in(cell)
        for package in (packages if "*" in name else packages[:1])
    ]
    files = (file for package in packages for file in (ROOT / package).rglob("__init__.py"))
    folders = {file.parent.relative_to(ROOT).as_posix() for file in files}.difference(packages)
    assert sorted(named) == sorted(folders)


def test_its_first_screen_has_the_two_commands_and_pictures_of_the_console_and_the_demos_result() -> None:
    first = "\n".join(TEXT.splitlines()[:36])
    assert re.findall(r"^make ([a-z-]+)", first, re.MULTILINE) == ["demo", "test"]
    assert re.findall(r"\]\(docs/pictures/([\w-]+\.png)\)", first) == ["demo.png"]
    shown = re.findall(r'<img src="docs/pictures/([\w-]+\.png)"', first)
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
