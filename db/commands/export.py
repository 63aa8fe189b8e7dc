"""`insert-db export`: verdicts as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from db.commands.options import Head, Machine, Operation, OutcomeOption, Pocket, Since, Station, Until
from db.commands.output import reading
from producer.terminal.counts import counted
from producer.terminal.options import Json
from producer.terminal.output import answer_stream, say, say_json


def export(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE.csv|-", help="The file to write; - is standard output.", show_default=False)
    ],
    machine: Machine = None,
    head: Head = None,
    pocket: Pocket = None,
    operation: Operation = None,
    outcome: OutcomeOption = None,
    station: Station = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Export all matching verdicts as CSV, with times in UTC.

    The file replaces an existing one only when it is complete. It is UTF-8 with a byte-order mark, which spreadsheets
    expect. On standard output (`-`), the CSV has the environment's encoding, which may lack some characters, and no
    mark. `--json` prints the file's name and its number of rows.

    Exit code 2: the line has no such machine, head, pocket or station.

    Examples:

    - `insert-db export november.csv --since 2026-11-01 --until 2026-12-01`
    - `insert-db export - --outcome damaged | head`
    """
    if file == "-" and as_json:
        raise typer.BadParameter("with - stdout holds the CSV, so there is no place for --json")
    with reading(context) as session:
        from db.line import verdicts as subject
        from db.queries import known_places
        from db.queries.verdicts_csv import write_csv, write_csv_file

        known_places.refuse_unknown(session, machine, head, pocket, station=station)
        rows = subject.export(
            session,
            machine=machine,
            head=head,
            pocket=pocket,
            operation=operation,
            outcome=outcome,
            station=station,
            since=since,
            until=until,
        )
        if file == "-":
            write_csv(rows, answer_stream())
            return
        count = write_csv_file(rows, Path(file))
        if as_json:
            say_json({"file": file, "rows": count})
        else:
            say(f"{counted(count, 'verdict')} in {file}")
