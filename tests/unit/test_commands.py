"""What every command of all three takes, whatever it does with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import db.commands.main
import producer.commands.main
import worker.commands.main
from producer.terminal.option_places import RENAMED
from producer.terminal.options import LARGEST

COMMANDS = {
    "insert-db": db.commands.main.app,
    "insert-station": producer.commands.main.app,
    "insert-worker": worker.commands.main.app,
}


def parameters(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, below in getattr(command, "commands", {}).items():
        yield from parameters(below, (*path, name))
    yield from ((path, parameter) for parameter in command.params)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_whole_number_has_bounds_that_all_that_is_made_of_it_can_hold(name: str) -> None:
    numbers = [(path, option) for path, option in parameters(get_command(COMMANDS[name])) if is_whole(option)]
    assert len(numbers) > 5
    without = [(*path, option.name) for path, option in numbers if not in_bounds(option)]
    assert not without, "give it min and max, such as producer.terminal.options.LARGEST"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_option_is_written_in_one_way(name: str) -> None:
    """A sentence or more, then the environment's variables, then a default that Typer cannot show by itself."""
    form = re.compile(r"[^[\]]+[.…]( \[env: INSERTS_\w+(, INSERTS_\w+)*\])?( \[default: [^[\]]+\])?")
    helps = {
        (*path, option.name): getattr(option, "help", None) or ""
        for path, option in parameters(get_command(COMMANDS[name]))
        if option.name != "help"
    }
    assert {place: text for place, text in helps.items() if not form.fullmatch(text.replace("[-1, 1]", ""))} == {}
    assert {
        place for place, text in helps.items() if "INSERTS_" in re.sub(r"\[env: .*?\]|INSERTS_\S+=", "", text)
    } == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_program_says_where_its_line_is(name: str) -> None:
    assert "--data" in CliRunner().invoke(COMMANDS[name], ["--help"]).output


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_has_a_former_name(name: str) -> None:
    names = {text for _, option in parameters(get_command(COMMANDS[name])) for text in option.opts}
    assert names & RENAMED.keys() == set()


def is_whole(option: Any) -> bool:
    return "int" in str(option.type_descriptor.annotation).replace("[", " ").replace("]", " ").replace("'", " ").split()


def in_bounds(option: Any) -> bool:
    return option.min is not None and option.max is not None and 0 <= option.min < option.max <= LARGEST


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("insert-db", ["faults", "show"]),
        ("insert-db", ["history", "mill-1", "H12"]),
        ("insert-db", ["verdicts", "--limit"]),
        ("insert-db", ["insert-changed", "mill-1", "H12"]),
        ("insert-worker", ["explain", "mill-1", "H12"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_a_number_that_no_column_holds_is_a_wrong_use(name: str, arguments: list[str]) -> None:
    for number in ("2147483648", str(2**63), "9" * 5000, "0"):
        result = CliRunner().invoke(COMMANDS[name], [*arguments, number])
        assert (result.exit_code, type(result.exception)) == (2, SystemExit)
