"""The options that the commands of `insert-station` share, and the settings that come of them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from producer.settings import StationSettings

Machine = Annotated[str, typer.Option(help="The milling machine's name.")]
Head = Annotated[str, typer.Option(help="The milling head's name.")]
Operation = Annotated[str, typer.Option(help="The machining operation that has just ended.")]


def seconds(help: str) -> Any:
    """An option of so many seconds: a number that can be waited for, which neither nan nor inf is."""
    return typer.Option(help=help, callback=_that_can_be_waited)


def settings_of(context: typer.Context) -> StationSettings:
    """The settings of the environment, with the options before the command in their place.

    Logs go where they should from here on. Called by a command once it does something: `--help` reads no settings and
    loads none of what they need.
    """
    from producer.settings import StationSettings
    from producer.terminal.logs import configure_logs

    configure_logs(logging.WARNING)
    return StationSettings(**{name: value for name, value in context.obj.items() if value is not None})


def _that_can_be_waited(seconds: float) -> float:
    if 0 <= seconds <= threading.TIMEOUT_MAX:
        return seconds
    raise typer.BadParameter(f"{seconds:g} is no number of seconds that can be waited for")
