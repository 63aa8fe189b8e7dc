"""`insert-db insert-changed`: a person says that a pocket has another insert now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from db.commands.options import OneHead, OneMachine
from db.commands.output import writing
from db.terminal.person import By, login, who
from producer.terminal.options import LARGEST, Json
from producer.terminal.output import say, say_json


def insert_changed(
    context: typer.Context,
    machine: OneMachine,
    head: OneHead,
    pocket: Annotated[int, typer.Argument(min=1, max=LARGEST, help="The pocket in the head.")],
    first: Annotated[
        UUID | None,
        typer.Option(help="The first capture of the new insert. [default: none yet]", show_default=False),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Withdraw the last record of the pocket, or that of --first.")
    ] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Record that an insert was changed: the previous insert's life ends, and the pocket leaves the replace list.

    Recording it again before the next photograph changes nothing. The audit keeps who recorded it, and who withdrew it.

    Examples:

    - `insert-db insert-changed mill-1 head-7 12`
    - `insert-db insert-changed mill-1 head-7 12 --first 0192f0c4-…`
    - `insert-db insert-changed mill-1 head-7 12 --undo`
    """
    with writing(context) as session:
        from db.engine.times import local
        from db.line import insert_changes
        from db.people import audited_insert_changes
        from db.queries.plain_values import plain

        name, now = by or login(), datetime.now(UTC)
        try:
            if undo:
                last = insert_changes.last(session, machine, head, pocket, first=first)
                change, is_new = audited_insert_changes.withdraw(session, last.id, by=who(), at=now), False
            else:
                change, is_new = audited_insert_changes.record(
                    session, machine, head, pocket, by=name, at=now, first=first, signed=who()
                )
        except LookupError as error:
            raise ValueError(str(error)) from error
    if as_json:
        say_json(plain(change))
    elif undo:
        place = f"machine {change.machine}, head {change.head}, pocket {change.pocket}"
        say(f"{place} keeps its insert: what {change.by} said for {local(change.at)} is taken back")
    else:
        since = "from now on" if first is None else f"from {local(change.at)} on"
        already = "" if is_new else ", as was known"
        say(f"machine {change.machine}, head {change.head}, pocket {change.pocket} has another insert {since}{already}")
