"""`insert-db history`: the history of one pocket."""

from __future__ import annotations

from typing import Annotated

import typer

from db.commands.options import OneHead, OneMachine
from db.commands.output import answer, reading
from producer.terminal.options import LARGEST, Json, Limit


def history(
    context: typer.Context,
    machine: OneMachine,
    head: OneHead,
    pocket: Annotated[int, typer.Argument(min=1, max=LARGEST, help="The pocket in the head.")],
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show the history of one pocket, newest first: photographs, verdicts, faults and insert changes.

    Exit code 2: the line has no such machine, head or pocket.

    Example: `insert-db history mill-1 head-7 12`
    """
    with reading(context) as session:
        from db.line import insert_changes
        from db.queries import known_places, pocket_history
        from db.terminal import tables

        rows = pocket_history.of_pocket(session, machine, head, pocket, limit=limit)
        changes = insert_changes.of_pocket(session, machine, head, pocket)
        if not rows:
            known_places.refuse_unknown(session, machine, head, pocket)
        answer(rows, lambda rows: tables.history_table(rows, changes), as_json, "no photograph", limit)
