"""`insert-db checks`: the checks after each operation, and their answers."""

from __future__ import annotations

from typing import Annotated

import typer

from db.commands.options import Head, Machine, Since, Station
from db.commands.output import answer, reading
from producer.contract.vocabulary import State
from producer.terminal.options import Json, Limit


def checks(
    context: typer.Context,
    machine: Machine = None,
    head: Head = None,
    station: Station = None,
    state: Annotated[State | None, typer.Option(help="Only checks with this result.", show_default=False)] = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the checks after each operation and their results: go, replace, review, or still pending.

    A person's label of a photograph (`insert-db review`) overrides its verdict.

    Exit code 2: the line has no such machine, head or station.

    Examples:

    - `insert-db checks --machine mill-1 --since 1d`
    - `insert-db checks --state replace --json`
    """
    with reading(context) as session:
        from db.line import checks as subject
        from db.queries import known_places
        from db.terminal import tables

        rows = subject.recent(
            session,
            machine=machine,
            head=head,
            station=station,
            state=state,
            since=since,
            limit=limit,
        )
        if not rows:
            known_places.refuse_unknown(session, machine, head, station=station)
        answer(rows, tables.check_table, as_json, "no check matches", limit)
