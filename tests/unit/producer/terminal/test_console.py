"""Nothing is read out of data, whichever way it is printed; and there is no other way to print."""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from rich.table import Table
from rich.text import Text

import db
import producer
import worker
from producer.terminal.console import TerminalConsole, answers, line, messages, progress, waiting
from tests.terminal_support import Streams

PACKAGES = (producer, db, worker)
PRINTERS = {("terminal", "output.py"), ("terminal", "console.py")}

ENCODINGS = ["utf-8", "cp1252", "ascii"]

DATA = ["[red]", "[/a]", "[x].png", ":smile:", "[link=file:///x]y[/link]", "[bold]x", "\\[red]", "[@click=x]"]
HOSTILE = ["\x1b[31mred", "\x1b]8;;http://x\x07", "a\rb", "\u202eabc", "\x9b2J", "\udcff"]


def in_a_table(console: TerminalConsole, text: str) -> None:
    table = Table("name", title=text, caption=text)
    table.add_column(text)
    table.add_row(text, Text(text))
    console.print(table)


def in_a_bar(console: TerminalConsole, text: str) -> None:
    with progress(console, transient=False) as bars:
        bars.add_task(text, total=1, completed=1)


def in_a_spinner(console: TerminalConsole, text: str) -> None:
    console.print(waiting(console, text).renderable)


WAYS: list[Callable[[TerminalConsole, str], None]] = [
    lambda console, text: line(console, ("ok", "green"), f" {text}"),
    lambda console, text: line(console, (text, "red")),
    lambda console, text: console.print(text),
    lambda console, text: console.log(text),
    in_a_table,
    in_a_bar,
    in_a_spinner,
]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("way", WAYS)
def test_markup_in_data_is_shown_and_never_read(
    monkeypatch: pytest.MonkeyPatch, encoding: str, way: Callable[[TerminalConsole, str], None]
) -> None:
    for text in DATA:
        streams = Streams(monkeypatch, encoding)
        way(answers(), f"before {text} behind")
        assert f"before {text} behind" in streams.shown()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_s_commands_in_data_do_not_reach_it(
    monkeypatch: pytest.MonkeyPatch, encoding: str, way: Callable[[TerminalConsole, str], None], text: str
) -> None:
    streams = Streams(monkeypatch, encoding)
    way(answers(), text)
    shown = streams.shown().replace("\n", "")
    assert shown
    assert shown.isprintable()


def test_styles_given_beside_the_text_reach_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    console = messages()
    console._force_terminal = True
    with console.capture() as captured:
        line(console, ("ok", "bold"), " [red]")
    assert "ok" in captured.get()
    assert "[red]" in captured.get()


def test_boxes_are_drawn_in_ascii_where_the_encoding_has_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams(monkeypatch, "cp1252")
    in_a_table(answers(), "x")
    assert streams.shown().isascii()
    assert "+" in streams.shown()


# ------------------------------------------------------------------------------------ no other way


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def sources(package: ModuleType) -> list[Path]:
    files = Path(package.__file__ or "").parent.rglob("*.py")
    return [file for file in files if file.parts[-2:] not in PRINTERS]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_there_is_no_other_way_to_print(package: ModuleType) -> None:
    for source in sources(package):
        text = source.read_text(encoding="utf-8")
        tree = ast.parse(text)
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        rich = {name for name in imported if name.partition(".")[0] == "rich"}
        if source.name == "narrow_table.py":  # it lays out and prints nothing
            rich -= {"rich.cells", "rich.console", "rich.measure", "rich.padding"}
        assert rich <= {"rich.table", "rich.text", "rich.markdown", "rich.filesize"}, source
        for name, call in calls(tree):
            assert name not in {"print", "typer.echo", "typer.secho", "click.echo", "Text.from_markup"}, (source, name)
            if name == "typer.Typer":
                given = {each.arg: ast.unparse(each.value) for each in call.keywords}
                assert given.get("rich_markup_mode") == "'markdown'", f"{source}: [red] is read in help"
        assert not re.search(r"\[/?(red|green|yellow|bold|dim)\]", text), source
