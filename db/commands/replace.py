"""`insert-db replace`: which inserts to change now."""

from __future__ import annotations

from datetime import timedelta

import typer

from db.commands.options import Head, Machine
from db.commands.output import answer, reading
from producer.terminal.counts import counted
from producer.terminal.options import Json
from producer.terminal.output import note, say_json
from producer.terminal.programs import copyable


def replace(context: typer.Context, machine: Machine = None, head: Head = None, as_json: Json = False) -> None:
    """List the inserts to change now: the pockets whose newest photograph shows a damaged insert.

    After `insert-db restore` a note names the heads that were not photographed since, also those that the backup does
    not know: damage that was seen after the backup is not known. `--json` has the inserts in `items`, and those pockets
    in `not_seen_since_restore`. Another note says that photographs which name no head could not be used lately.

    Exit code 2: the line has no such machine or head.

    Example: `insert-db replace --machine mill-1`
    """
    with reading(context) as session:
        from db.engine import clock
        from db.line import restores
        from db.queries import head_overview, known_places, line_status, replace_list
        from db.queries.plain_values import plain
        from db.terminal import tables

        rows = replace_list.to_replace(session, machine, head)
        unseen = restores.not_seen_since(session, machine, head)
        if not rows and not unseen:
            known_places.refuse_unknown(session, machine, head)
        if as_json:
            say_json({"items": plain(rows), "not_seen_since_restore": [place._asdict() for place in unseen]})
        else:
            answer(rows, tables.replace_table, False, "no insert is known to be damaged")
        if unseen:
            heads = ", ".join(dict.fromkeys(f"{head} on {machine}" for machine, head, _ in unseen))
            note(
                f"a backup was restored, and {counted(len(unseen), 'pocket')} not photographed since: damage that was "
                f"seen after the backup is not known. Check these heads anew: {heads}"
            )
        since = clock.latest(session) - timedelta(minutes=head_overview.STALE_MINUTES)
        unusable, _ = line_status.of_no_known_head(session, since)
        if unusable:
            note(
                copyable(
                    f"in the last hour {counted(unusable, 'photograph')} of no known head could not be used, so damage "
                    "on any head may not be known: `insert-db faults list`"
                )
            )
