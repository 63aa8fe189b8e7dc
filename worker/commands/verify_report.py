"""What `weights verify` and `networks verify` print: each file kept under its digest, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import typer

from producer.terminal.exit_codes import NO
from producer.terminal.output import say, say_json
from worker.backbones.names import BackboneError


def problem_of(check: Callable[[], object]) -> str | None:
    """Run a check; return what it finds wrong, or None."""
    try:
        check()
    except BackboneError as error:
        return str(error)
    return None


def report(results: Sequence[tuple[str, str, str | None]], *, named: str, as_json: bool) -> None:
    """Print digest, name and problem of each file; `named` is what JSON calls the name.

    Raises:
        typer.Exit: with `NO` where a file has a problem.
    """
    if as_json:
        say_json([{"digest": digest, named: name, "problem": problem} for digest, name, problem in results])
    else:
        for digest, name, problem in results:
            say(f"{digest[:12]}  {name}  {problem or 'ok'}")
    if any(problem for _, _, problem in results):
        raise typer.Exit(NO)
