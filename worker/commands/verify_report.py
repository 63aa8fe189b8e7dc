"""What `features verify`, `networks verify` and `weights verify` print, and which folder they refuse to verify."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from producer.terminal.exit_codes import NO
from producer.terminal.output import say, say_json
from producer.terminal.programs import copyable
from worker.backbones.names import BackboneError


@dataclass(frozen=True)
class Verified:
    """One stored item: its digest, its name, and what is wrong with it; None if it is whole.

    `detail` is what JSON has beside these three, `text` what a person reads in their place.
    """

    digest: str
    name: str | None
    problem: str | None
    detail: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""


def problem_of(check: Callable[[], object]) -> str | None:
    """Run a check; return what it finds wrong, or None."""
    try:
        check()
    except BackboneError as error:
        return str(error)
    return None


def refuse_missing(folder: Path) -> None:
    """Refuse a folder that does not exist.

    Raises:
        ValueError: there is no such folder, so its name is probably mistyped.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}: is its name right?")


def report(verified: Sequence[Verified], *, nothing: str, as_json: bool) -> None:
    """Print each item and what is wrong with it, or the sentence for `nothing`.

    Raises:
        typer.Exit: with `NO` if an item has a problem.
    """
    whole = all(item.problem is None for item in verified)
    if as_json:
        say_json(
            {
                "whole": whole,
                "verified": [
                    {"digest": item.digest, "name": item.name, "problem": item.problem, **item.detail}
                    for item in verified
                ],
            }
        )
    elif not verified:
        say(copyable(nothing))
    for item in () if as_json else verified:
        say(copyable(item.text or f"{item.digest[:12]}  {item.name}  {item.problem or 'ok'}"))
    if not whole:
        raise typer.Exit(NO)
