"""`insert-db verdicts`: the verdict on each photograph."""

from __future__ import annotations

import typer

from db.commands.options import Head, Machine, Operation, OutcomeOption, Pocket, Since, Station, Until
from db.commands.output import answer, reading
from producer.terminal.options import Json, Limit


def verdicts(
    context: typer.Context,
    machine: Machine = None,
    head: Head = None,
    pocket: Pocket = None,
    operation: Operation = None,
    outcome: OutcomeOption = None,
    station: Station = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the verdicts, newest first. Imported photographs are listed only with `--machine imported`.

    Exit code 2: the line has no such machine, head, pocket or station.

    Examples:

    - `insert-db verdicts --outcome damaged --since 2h`
    - `insert-db verdicts --machine mill-1 --head head-7 --pocket 12`
    """
    with reading(context) as session:
        from db.line import verdicts as subject
        from db.queries import known_places
        from db.terminal import tables

        rows = subject.search(
            session,
            machine=machine,
            head=head,
            pocket=pocket,
            operation=operation,
            outcome=outcome,
            station=station,
            since=since,
            until=until,
            limit=limit,
        )
        if not rows:
            known_places.refuse_unknown(session, machine, head, pocket, station=station)
        answer(rows, tables.verdict_table, as_json, "no verdict matches", limit)
