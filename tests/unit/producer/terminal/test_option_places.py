from __future__ import annotations

import pytest
import typer
from typer.main import get_command

import db.commands.main
import producer.commands.main
import worker.commands.main
from producer.terminal.option_places import in_place

APPS = {
    "insert-station": producer.commands.main.app,
    "insert-worker": worker.commands.main.app,
    "insert-db": db.commands.main.app,
}


def placed(text: str) -> str:
    program, *arguments = text.split()
    return " ".join(in_place(get_command(APPS[program]), arguments))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("insert-station check F --machine m --data D", "--data D check F --machine m"),
        ("insert-station --machine m check F --data=D --json", "--data=D check --machine m F --json"),
        ("insert-worker --data D train F", "train --data D F"),
        ("insert-worker train F --data D", "train F --data D"),
        ("insert-worker --data D demo", "demo --data D"),
        ("insert-db --json verdicts --database U --limit 3", "--database U verdicts --json --limit 3"),
        ("insert-db users list --json --data D", "--data D users list --json"),
        ("insert-station connect run F --data D", "--data D connect run F"),
        ("insert-station publish F --wait 5", "publish F --timeout 5"),
        ("insert-station outbox --send=60", "outbox --timeout=60"),
        ("insert-station --out P heads draw F", "heads draw --output P F"),
        ("insert-worker explain ID --out P", "explain ID --output P"),
    ],
)
def test_an_option_is_found_before_and_behind_the_command_s_name(typed: str, read: str) -> None:
    assert placed(typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        "--help",
        "check --help",
        "check F --nothing-like-it D",  # for the program to say
        "check --machine --data --head h",  # the value of another option
        "check --machine --wait --head h",
        "check F -- --data D",
        "check F -- --wait D",
        "heads --example",
    ],
)
def test_all_else_stays_where_it_is(typed: str) -> None:
    assert placed(f"insert-station {typed}") == typed


@pytest.mark.parametrize("program", APPS)
def test_an_option_takes_as_many_values_whatever_command_has_it(program: str) -> None:
    """So it can be read before its command is known."""
    values: dict[str, int] = {}

    def look(command: object) -> None:
        for option in command.params:  # type: ignore[attr-defined]
            if option.param_type_name == "option":
                count = 0 if option.is_flag else option.nargs
                assert {values.setdefault(name, count) for name in option.opts} == {count}, option.opts
        for below in getattr(command, "commands", {}).values():
            look(below)

    look(get_command(APPS[program]))
    assert values["--data"] == 1


def test_the_innermost_command_that_has_an_option_gets_it() -> None:
    app, below = typer.Typer(), typer.Typer()

    @app.callback()
    def program(name: str = "") -> None: ...

    @below.command()
    def inner(name: str = "", other: bool = False) -> None: ...

    @below.command()
    def another() -> None: ...

    app.add_typer(below, name="group")
    assert in_place(get_command(app), ["--name", "a", "group", "--other", "inner", "--name", "b"]) == (
        ["--name", "a", "group", "inner", "--other", "--name", "b"]
    )
