"""`insert-station publish`: one photograph in, its verdict back, and the answer of its check."""

from __future__ import annotations

import math
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from producer.commands.options import Head, Machine, Operation, seconds, settings_of, uuid7
from producer.contract.vocabulary import CHECK_STATE_OF, Outcome
from producer.pictures.file_names import MAX_POCKET
from producer.terminal import exit_codes
from producer.terminal.exit_codes import FAILED
from producer.terminal.options import Json
from producer.terminal.output import note, say, say_json

if TYPE_CHECKING:
    from producer.contract.answers import CheckAnswer
    from producer.contract.event import CaptureEvent
    from producer.station.station import Received, Station

_CHECK_FOLLOWS_WITHIN: Final = 0.3
"""Seconds to wait for the answer of a check that a verdict completed. Both are sent in one step."""


def publish(
    context: typer.Context,
    image: Annotated[Path, typer.Argument(help="The photograph.")],
    machine: Machine,
    head: Head,
    operation: Operation,
    pocket: Annotated[int, typer.Option(min=1, max=MAX_POCKET, help="The number of the insert's pocket, from 1.")],
    check_id: Annotated[
        UUID | None, uuid7("The check that it belongs to, a UUID of version 7. [default: a check of its own]")
    ] = None,
    check_size: Annotated[
        int | None, typer.Option(min=1, max=MAX_POCKET, help="How many inserts the check covers. [default: 1]")
    ] = None,
    timeout: Annotated[float, seconds("Seconds to wait for the verdict; 0 only hands it in.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Hand in one photograph and print its verdict.

    It refuses a file that a program still writes. It also refuses a head that is not in the register (`INSERTS_HEADS`),
    unless you give `--check-size`. If the answer of the whole check differs from the verdict, because the photograph
    came before or the check has other pockets, it prints that answer and the reason too.

    The photograph is stored on this machine's disk first. Until it is answered, every `insert-station` command of this
    station sends it again; `insert-station outbox --timeout 60` does only that.

    Exit codes:

    - 0: go; or intact, and other pockets of its check are not judged yet; with `--timeout 0`: sent
    - 1: replace this insert, or another one of its check
    - 2: a person must look, or the photograph is in the outbox and not answered yet

    Example: `insert-station publish photograph.jpg --machine mill-1 --head H12 --operation op-0815 --pocket 7`
    """
    from producer.commands.opening import open_station
    from producer.contract.event import new_id
    from producer.station.photograph_file import UNGUARDED, only_when_finished

    settings = settings_of(context)
    register = settings.head_register()
    known = register.declared(head, check_size) if register else None
    if known is not None and pocket > known.pockets:
        raise ValueError(f"there is no pocket {pocket}: head {head} has {known.pockets} (INSERTS_HEADS says so)")
    size = check_size or 1
    if pocket > size and (check_size is not None or check_id is not None):
        raise ValueError(
            f"there is no pocket {pocket} in a check of {size}: --check-size says how many inserts it covers"
        )
    photograph = only_when_finished(image, settings.settled_after)
    if photograph.unguarded:
        note(UNGUARDED)
    with open_station(settings) as (station, _):
        event = station.submit(
            photograph.image,
            machine=machine,
            head=head,
            pocket=pocket,
            operation=operation,
            check_id=check_id or new_id(),
            check_size=size,
            region=known.regions.get(pocket) if known else None,
            insert_designation=known.designation if known else None,
        )
        received, checked = _answers(station, event, timeout)
        sent = received is not None or station.flush(10.0 if timeout == 0 else 0.0)
    if received is not None:
        _show(received, checked, as_json)
        if image.exists() and image.read_bytes() != photograph.image:
            note(f"{image} changed meanwhile: publish it again once it is finished")
            raise typer.Exit(FAILED)
        if checked is None and size == 1:
            note("its check is not answered yet: publish it again, or see `insert-db checks`")
            raise typer.Exit(FAILED)
        raise typer.Exit(_exit_code(received, checked))
    with closing(settings.open_outbox()) as outbox:  # an attempt that was under way has ended only now
        waiting = outbox.find(str(event.capture_id))
    problem = waiting.why if waiting else "answered just now: publish it again for its answer"
    if as_json:
        say_json({"kind": "waiting", "capture_id": str(event.capture_id), "problem": problem})
    else:
        say(f"kept in the outbox as {event.capture_id}: {problem}")
    raise typer.Exit(0 if timeout == 0 and sent else FAILED)


def _answers(station: Station, event: CaptureEvent, timeout: float) -> tuple[Received | None, CheckAnswer | None]:
    """The verdict or fault of a photograph, and the answer of its check that includes it, if it is known by then.

    An earlier answer of the check, with another photograph of the pocket, is not returned.
    """
    from producer.contract.answers import CheckAnswer, VerdictAnswer

    until = time.monotonic() + timeout
    received = station.wait_for([event.capture_id], timeout).get(event.capture_id)
    if received is None:
        return None, None
    alone = event.check_size == 1 and isinstance(received.answer, VerdictAnswer)
    end = max(until, time.monotonic() + _CHECK_FOLLOWS_WITHIN) if alone else time.monotonic() + _CHECK_FOLLOWS_WITHIN
    since = received.at
    while (left := end - time.monotonic()) > 0:
        checked = station.wait_for([event.check_id], left, since=since).get(event.check_id)
        if checked is None:
            break
        if isinstance(checked.answer, CheckAnswer) and _counts(checked.answer, received, event.pocket):
            return received, checked.answer
        since = math.nextafter(checked.at, math.inf)
    return received, None


def _counts(checked: CheckAnswer, received: Received, pocket: int) -> bool:
    """Whether a check's answer can include this photograph's verdict or fault: an answer names what is not intact."""
    return _alone(received) == "go" or pocket in (*checked.replace, *checked.review)


def _show(received: Received, checked: CheckAnswer | None, as_json: bool) -> None:
    from producer.commands.answer_text import of_check, sentence

    if as_json:
        values = received.answer.model_dump(mode="json", exclude_none=True)
        say_json(values if checked is None else {**values, "check": checked.model_dump(mode="json", exclude_none=True)})
        return
    say(sentence(received))
    if checked is not None and (checked.reason or checked.state != _alone(received)):
        say(of_check(checked))


def _exit_code(received: Received, checked: CheckAnswer | None) -> int:
    state = checked.state if checked is not None else _alone(received)
    return exit_codes.of_check(state)


def _alone(received: Received) -> str:
    """The answer of a check of this photograph alone, as far as its verdict says."""
    outcome: Outcome | None = getattr(received.answer, "outcome", None)
    return "review" if outcome is None else CHECK_STATE_OF[outcome]
