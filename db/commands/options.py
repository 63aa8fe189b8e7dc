"""The options that the commands of `insert-db` share."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from db.engine.times import FORMS, parse_moment
from producer.contract.vocabulary import Outcome
from producer.terminal.options import LARGEST


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _name(text: str | None) -> str | None:
    # Names are kept in normal form C; a terminal, or a name pasted from a Mac's folder, may have another one.
    return None if text is None else unicodedata.normalize("NFC", text)


def moment_option(name: str, meaning: str) -> Any:
    """An option that is a moment, as people write it."""
    return typer.Option(name, parser=_moment, metavar="MOMENT", help=f"{meaning}: {FORMS}.", show_default=False)


Machine = Annotated[str | None, typer.Option(help="Only this milling machine.", show_default=False, callback=_name)]
Head = Annotated[str | None, typer.Option(help="Only this milling head.", show_default=False, callback=_name)]
Pocket = Annotated[int | None, typer.Option(min=1, max=LARGEST, help="Only this pocket of a head.", show_default=False)]
Operation = Annotated[str | None, typer.Option(help="Only after this operation.", show_default=False, callback=_name)]
OneMachine = Annotated[str, typer.Argument(help="The milling machine.", callback=_name)]
OneHead = Annotated[str, typer.Argument(help="The milling head.", callback=_name)]
Station = Annotated[str | None, typer.Option(help="Only from this station.", show_default=False, callback=_name)]
OutcomeOption = Annotated[
    Outcome | None, typer.Option("--outcome", help="Only verdicts with this outcome.", show_default=False)
]
Since = Annotated[datetime | None, moment_option("--since", "Only from this moment on")]
At = Annotated[datetime | None, moment_option("--at", "As it was at this moment")]
Until = Annotated[datetime | None, moment_option("--until", "Only before this moment")]
