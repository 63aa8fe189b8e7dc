"""The options that the commands of `insert-station` share, and the settings that come of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from producer.settings import StationSettings

Machine = Annotated[str, typer.Option(help="The milling machine's name.")]
Head = Annotated[str, typer.Option(help="The milling head's name.")]
Operation = Annotated[str, typer.Option(help="The machining operation that has just ended.")]


def settings_of(context: typer.Context) -> StationSettings:
    """The settings of the environment, with the options before the command in their place.

    Logs go where they should from here on. Called by a command once it does something: `--help` reads no settings and
    loads none of what they need.
    """
    from producer.settings import StationSettings
    from producer.terminal.logs import configure_logs

    configure_logs(logging.WARNING)
    return StationSettings(**{name: value for name, value in context.obj.items() if value is not None})
