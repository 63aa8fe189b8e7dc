"""`insert-station check`: from a folder with a head's photographs to go, or to the pockets that prevent it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from producer.commands.options import Head, Machine, Operation, seconds, settings_of, uuid7
from producer.pictures.file_names import MAX_POCKET
from producer.terminal.exit_codes import FAILED
from producer.terminal.options import Json
from producer.terminal.output import note, say, say_json


def check(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help="Photographs of the whole head, named by their pockets: 1.jpg, 2.jpg, …")
    ],
    machine: Machine,
    head: Head,
    operation: Operation,
    check_size: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_POCKET, help="How many pockets the head has. [default: see above]"),
    ] = None,
    check_id: Annotated[
        UUID | None,
        uuid7(
            "The id of this check, a new UUID of version 7, for a PLC that waits for its answer. [default: a new id]"
        ),
    ] = None,
    timeout: Annotated[float, seconds("Seconds to wait for the whole head's verdict.")] = 120.0,
    as_json: Json = False,
) -> None:
    """Check a whole head after an operation: go, or replace these pockets.

    The number of pockets comes from `--check-size` and from the head register (`INSERTS_HEADS`); if they differ, the
    larger number counts. Without either, it is the highest number in the folder, or the most pockets that any earlier
    check of the head had.

    Nothing is left out silently. Each of these is printed at once, and the check ends as "review", never as "go":

    - a pocket without a photograph, or with two
    - a number that the head does not have
    - a file that cannot be read, or that a program still writes
    - a file that may be a photograph, but whose name gives no pocket
    - a photograph that was handed in for another operation
    - a change of the folder while the check runs

    It refuses a folder in which all photographs are those of another operation, or of an earlier check of this one.

    A photograph must not have changed for INSERTS_SETTLED_AFTER seconds (2). If the system cannot say whether a program
    still writes the file (on a network share, or a file of another owner), it is looked at twice, that long apart, and
    must not have changed.

    Exit codes:

    - 0: go
    - 1: replace the pockets that are printed; if the model was unsure of others, look at those too
    - 2: a person must look: the model was unsure and nothing is to be replaced; or a pocket was left out or could not
      be judged, photographs contradict each other or could not be handed in, or the check did not finish in time

    Example: `insert-station check photographs --machine mill-1 --head H12 --operation op-0815`
    """
    from producer.commands.check_report import as_values, in_lines, not_stored, notes_on, sentence, unsure, unusable
    from producer.commands.opening import open_station
    from producer.station import head_sizes
    from producer.station.head_check import run_check
    from producer.station.head_folder import changes_since, look_at
    from producer.station.known_photographs import remember, without_known
    from producer.station.photograph_file import UNGUARDED
    from producer.station.settled_head import is_unguarded, settled

    settings = settings_of(context)
    register = settings.head_register()
    known = register.declared(head, check_size) if register else None
    # Of two numbers that differ, the larger one counts.
    regions = known.regions if known else {}
    declared = max(check_size or 0, known.pockets if known else 0) or None
    shown = look_at(folder, declared, regions)
    unguarded = is_unguarded(shown)
    shown = settled(shown, folder, settings.settled_after)
    with open_station(settings) as (station, outbox):
        if declared is None:
            shown = head_sizes.as_large_as_before(shown, head, outbox)
        if declared is not None or not shown.problems:
            head_sizes.remember(declared or shown.check_size, head, outbox)
        notes = [*notes_on(shown, head, check_size, known, register), *([UNGUARDED] if unguarded else [])]
        shown = without_known(shown, folder, (machine, head, operation), check_id, outbox)
        for line in (*(problem.what for problem in shown.problems), *notes):
            note(line)
        result = run_check(
            station,
            [replace(photograph, region=regions.get(photograph.pocket)) for photograph in shown.photographs],
            machine=machine,
            head=head,
            operation=operation,
            check_size=shown.check_size,
            check_size_counted=declared is None,
            check_id=check_id,
            timeout=timeout,
            on_submit=lambda event: remember(event, outbox),
            designation=known.designation if known else None,
            reasons={pocket: problem.what for problem in shown.problems for pocket in problem.pockets},
        )
    changes = [change for change in changes_since(shown, folder) if change not in shown.problems]
    late = [
        *not_stored(result, shown),
        *unusable(result, shown),
        *head_sizes.larger_on_the_line(result, head),
        *changes,
    ]
    for line in (*(problem.what for problem in late), *in_lines(unsure(result))):
        note(line)
    problems = [*shown.problems, *late]
    result = replace(result, doubted=frozenset(pocket for problem in problems for pocket in problem.pockets))
    if as_json:
        say_json(as_values(result, problems, notes))
    else:
        say(sentence(result))
    raise typer.Exit(FAILED if problems else result.exit_code)
