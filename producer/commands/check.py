"""`insert-station check`: a folder with the photographs of a head becomes go, or which pockets and why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from producer.contract.answers import FaultAnswer, VerdictAnswer
from producer.contract.event import CaptureEvent
from producer.pictures.file_names import MAX_POCKET
from producer.settings import StationSettings
from producer.station.head_check import CheckResult, run_check
from producer.station.head_folder import HeadFolder, Problem, look_at
from producer.station.head_register import Head, HeadRegister
from producer.station.head_register_file import nearest
from producer.terminal.output import note, say, say_json


def check(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Photographs of the whole head, named by pocket: 1.jpg, 2.jpg, …")],
    machine: Annotated[str, typer.Option(help="The milling machine's name.")],
    head: Annotated[str, typer.Option(help="The milling head's name.")],
    operation: Annotated[str, typer.Option(help="The machining operation that has just ended.")],
    check_size: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_POCKET, help="How many pockets the head has; default: see above."),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the whole head's verdict.")] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs on standard output.")] = False,
) -> None:
    """Check a whole head after an operation: go, or replace these pockets.

    How many pockets there must be says `--check-size`, else the head register (`INSERTS_HEADS`), else the highest
    number in the folder. Nothing is left out without a word: a pocket without a photograph or with two, a number that
    the head does not have, a file that cannot be read, a picture that is not named by a pocket. Each is named at once,
    and the check ends as "review" with its pocket, never as "go".

    Exit code 0: go. 1: replace the pockets that are printed. 2: a person must look (some insert could not be decided,
    something was left out, the check did not finish in time, or the photographs could not be handed in).
    """
    from producer.commands.opening import open_station

    settings: StationSettings = context.obj
    register = settings.head_register()
    known = register.get(head) if register else None
    shown = look_at(folder, check_size or (known.pockets if known else None))
    notes = [*_notes(shown, head, check_size, known, register)]
    for line in (*(problem.what for problem in shown.problems), *notes):
        note(line)
    regions = known.regions if known else {}
    with open_station(settings) as (station, _):
        result = run_check(
            station,
            [replace(each, region=regions.get(each.pocket)) for each in shown.photographs],
            machine=machine,
            head=head,
            operation=operation,
            check_size=shown.check_size,
            timeout=timeout,
            designation=known.designation if known else None,
        )
    unusable = [*_unusable(result, shown)]
    for problem in unusable:
        note(problem.what)
    problems = [*shown.problems, *unusable]
    if as_json:
        say_json(as_values(result, problems, notes))
    else:
        say(sentence(result))
    raise typer.Exit(2 if problems else result.exit_code)


def sentence(result: CheckResult) -> str:
    """The answer on one line."""
    if result.state == "go":
        return "GO"
    first = f"REPLACE pockets {_pockets(result.replace)}" if result.replace else "REVIEW"
    if result.state == "pending":
        first += f"  not finished in time: {len(result.answers)} of {len(result.submitted)} answered"
    if result.review:
        first += f"  look at pockets {_pockets(result.review)}"
    if result.answer is not None and result.missing:  # where there is no answer, each was named before
        first += f" ({_pockets(result.missing)} never photographed)"
    return first


def as_values(result: CheckResult, problems: list[Problem], notes: list[str]) -> dict[str, Any]:
    """The answer for a program; `missing` are the pockets of which the line has no photograph."""
    return {
        "check_id": str(result.check_id),
        "state": result.state,
        "replace": result.replace,
        "review": result.review,
        "missing": result.missing,
        "problems": [{"problem": p.what, "files": [*p.files], "pockets": [*p.pockets]} for p in problems],
        "notes": notes,
        "captures": len(result.submitted),
        "answered": len(result.answers),
    }


def _notes(
    shown: HeadFolder, head: str, check_size: int | None, known: Head | None, register: HeadRegister | None
) -> list[str]:
    """What a person should know and need not act on."""
    notes = []
    if shown.elsewhere:
        notes.append(f"not looked at: the photographs in its folders {', '.join(shown.elsewhere)}")
    if register is not None and known is None:
        meant = nearest(head, register.heads)
        notes.append(f"head {head} is not in {register.path}" + (f": is {meant} meant?" if meant else ""))
    if check_size is not None and known is not None and check_size != known.pockets:
        notes.append(f"--check-size {check_size} is taken, though head {head} has {known.pockets} in the head register")
    if check_size is None and known is None and not shown.problems:
        notes.append(
            f"taken to have {shown.check_size} pockets, as the files' names say: only --check-size or a head register "
            "(INSERTS_HEADS) tells whether the last ones are missing"
        )
    return notes


def _unusable(result: CheckResult, shown: HeadFolder) -> list[Problem]:
    """What the line could not judge of what was handed in, by its file, unless it was named before."""
    files = {each.pocket: each.file or "" for each in shown.photographs}
    named = {file for problem in shown.problems for file in problem.files}
    return [
        Problem(f"{files[event.pocket]}: {reason}", [files[event.pocket]], [event.pocket])
        for event, _ in result.submitted
        if files[event.pocket] not in named and (reason := _reason(result, event))
    ]


def _reason(result: CheckResult, event: CaptureEvent) -> str | None:
    """Why a capture could not be judged, if it could not."""
    received = result.answers.get(event.capture_id)
    match received.answer if received else None:
        case VerdictAnswer(outcome="unusable", reason=reason):
            return reason or "unusable"
        case FaultAnswer(reason=reason):
            return reason
    return None


def _pockets(pockets: list[int]) -> str:
    return ", ".join(map(str, pockets))
