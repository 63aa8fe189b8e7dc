"""Who is at the terminal."""

from __future__ import annotations

import getpass
from contextlib import suppress
from typing import Annotated

import typer

By = Annotated[str | None, typer.Option(help="The person's name. [default: the login name]", show_default=False)]


def login() -> str:
    """The name of who has no `--by`.

    Raises:
        ValueError: this process has no login name.
    """
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which one depends on the version of Python and the system
        raise ValueError("this process has no login name: say who you are with --by") from None


def who() -> str:
    """The person at the terminal, as the audit names one: never like an account, which has no colon."""
    with suppress(ValueError):
        return f"terminal: {login()}"
    return "terminal: ?"
