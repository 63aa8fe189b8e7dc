"""What messages say of commands can be copied: it stands in backticks, and there is such a command."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from typer.main import get_command

import db.commands.main
import producer.commands.main
import worker.commands.main
from producer.terminal.option_places import in_place

ROOT = Path(__file__).parents[2]
PROGRAMS: dict[str, Any] = {
    "insert-db": get_command(db.commands.main.app),
    "insert-station": get_command(producer.commands.main.app),
    "insert-worker": get_command(worker.commands.main.app),
}
COMMAND = re.compile(r"(insert-(?:db|station|worker))((?: [a-z][a-z-]*)+)(?![a-z-]*:)")
DOCUMENTS = (".md", ".sh", ".yml", ".yaml", ".service", ".env")
# Names of who did something, as the audit and the history have them.
SIGNATURES = ("insert-worker evaluate", "insert-worker import", "insert-worker learn", "insert-worker train")


@cache
def texts() -> list[tuple[str, str]]:
    """Each text of the program with the file that it is in; what is put into it at run time is `…`."""
    files = (file for package in ("db", "producer", "worker") for file in sorted((ROOT / package).rglob("*.py")))
    return [text for file in files for text in texts_of(file)]


def texts_of(file: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    parts = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    for node in ast.walk(tree):
        where = f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.JoinedStr):
            yield (
                where,
                "".join(value.value if isinstance(value, ast.Constant) else "…" for value in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield where, node.value


def hints() -> Iterator[tuple[str, str]]:
    """Each command in backticks with where it is said."""
    for where, text in texts():
        for hint in re.findall(r"`(insert-(?:db|station|worker) [^`]*)`", text):
            yield where, hint


def test_each_command_in_backticks_is_one() -> None:
    assert [f"{where}: {hint}: {wrong}" for where, hint in hints() if (wrong := wrong_of(hint))] == []


def named_in(document: Path) -> Iterator[str]:
    """The commands that a document or a file of the deployment names, in backticks or in a block of code."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```.*?^ *```", text, re.MULTILINE | re.DOTALL) if document.suffix == ".md" else [text]
    for code in (*re.findall(r"`([^`\n]+)`", text), *(line for block in blocks for line in block.splitlines())):
        for hint in re.findall(r"(?<![\w./-])insert-(?:db|station|worker) [^#|&;<>\\`\"')\]]+", code):
            yield hint.partition(", ")[0]


def test_each_command_that_a_document_names_is_one() -> None:
    folders = ("docs", "deploy", "examples")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.*") if file.suffix in DOCUMENTS]
    named = [(file, hint) for file in [*ROOT.glob("*.md"), *files] for hint in named_in(file)]
    assert len(named) > 200
    assert [f"{file.name}: {hint}: {wrong}" for file, hint in named if (wrong := wrong_of(hint))] == []


def wrong_of(hint: str) -> str | None:
    """What of a hint the program does not know."""
    program, *typed = hint.split()
    command = PROGRAMS[program]
    rest = in_place(command, typed)
    while rest and rest[0] in options_of(command) - {"--help"}:  # the program's own
        rest = rest[2:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        names = rest.pop(0).split("|")
        if unknown := set(names) - set(command.commands):
            return " ".join(unknown)
        command = command.commands[names[0]]
    unknown = {word.partition("=")[0] for word in rest if word.startswith("--")} - options_of(command)
    return " ".join(unknown) or None


def options_of(command: Any) -> set[str]:
    """The names of a command's options."""
    return {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}


def test_what_is_said_to_a_person_stands_in_backticks() -> None:
    """What is for another machine stands in quotation marks, and code is indented."""
    bare = []
    for where, text in texts():
        outside = re.sub(r"`[^`]*`|'[^']*'|^ {4}.*$", "", inspect.cleandoc(text), flags=re.MULTILINE)
        bare += [
            f"{where}: {match[0]}"
            for match in COMMAND.finditer(outside)
            if is_command(match) and text not in SIGNATURES
        ]
    assert bare == []


def is_command(match: re.Match[str]) -> bool:
    """Whether the first of the words is a command of the program."""
    return match[2].split()[0] in PROGRAMS[match[1]].commands


def test_every_command_has_an_example_of_itself() -> None:
    lacking = [
        name
        for program, command in PROGRAMS.items()
        for name, each in below(program, command)
        if f"`{name}" not in re.sub(r"\s+", " ", re.sub(r"(`insert-(?:db|station)) --data \S+", r"\1", each.help or ""))
    ]
    assert lacking == []


def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """All commands that do something, with their whole names."""
    if not hasattr(command, "commands"):
        yield name, command
    for word, each in getattr(command, "commands", {}).items():
        yield from below(f"{name} {word}", each)
