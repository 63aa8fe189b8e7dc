"""`insert-station safe-name`: the form of a name for places that do not allow all of its characters."""

from __future__ import annotations

from typing import Annotated

import typer

from producer.terminal.output import say


def safe(name: Annotated[str, typer.Argument(help="A station's name, such as `Prüfplatz 1`.")]) -> None:
    """Print the safe form of a station's name, which its Redis user, its stream and its photographs' folder have.

    A name that consists of letters A to Z, digits, `.`, `_` and `-` is its own safe form.

    Example: `insert-station safe-name "Fräse 3"`
    """
    from producer.contract.names import check_name, safe_name

    say(safe_name(check_name(name)))
