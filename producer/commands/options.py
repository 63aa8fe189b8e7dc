"""The options that the commands of `insert-station` share, and the settings that come of them."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

if TYPE_CHECKING:
    from producer.settings import StationSettings


def _name(what: str) -> Any:
    """An option that is a name; an invalid one is refused before anything is read or written."""
    return typer.Option(help=what, callback=_that_may_be_a_name)


def seconds(help: str) -> Any:
    """An option that is a number of seconds; nan and inf are refused, because nothing can wait for them."""
    return typer.Option(help=help, metavar="SECONDS", callback=_that_can_be_waited)


def uuid7(help: str) -> Any:
    """An option that is one of our ids: a UUID of version 7, which begins with the time."""
    return typer.Option(help=help, callback=_of_version_7, show_default=False)


def _that_may_be_a_name(parameter: typer.CallbackParam, name: str) -> str:
    from producer.contract.names import check_name

    name.encode()  # bytes that are no text here have an error that says what to do
    try:
        return check_name(name)
    except ValueError as problem:
        raise ValueError(f"{parameter.name}: {problem}") from None


Machine = Annotated[str, _name("The milling machine's name.")]
Head = Annotated[str, _name("The milling head's name.")]
Operation = Annotated[str, _name("The machining operation that has just ended.")]

_REGISTER: Final = "The head register. [env: INSERTS_HEADS]"

RegisterFile = Annotated[Path | None, typer.Argument(help=_REGISTER)]
RegisterOption = Annotated[Path | None, typer.Option(metavar="FILE", help=_REGISTER, show_default=False)]


def settings_of(context: typer.Context) -> StationSettings:
    """Return the settings: options first, then the environment. Also configure the logs.

    A command calls it only when it starts its work, so that `--help` reads no settings and imports nothing for them.
    """
    from producer.settings import StationSettings
    from producer.terminal.logs import configure_logs

    configure_logs(logging.WARNING)
    return StationSettings(**{name: value for name, value in context.obj.items() if value is not None})


def _that_can_be_waited(seconds: float) -> float:
    if 0 <= seconds <= threading.TIMEOUT_MAX:
        return seconds
    raise typer.BadParameter(f"{seconds:g} is no number of seconds to wait")


def _of_version_7(id: UUID | None) -> UUID | None:
    if id is None or id.version == 7:
        return id
    raise typer.BadParameter(
        f"{id} is no UUID of version 7, which begins with the time (RFC 9562); in Python `producer.new_id()` makes one"
    )
