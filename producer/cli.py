"""The station's command, ``insert-station``."""

from __future__ import annotations

import json
import logging
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.console import Console

from producer import cli_simulate
from producer.answers import ANSWERS, CheckAnswer, FaultAnswer
from producer.check import CheckResult, photographs_in, run_check
from producer.event import CaptureEvent, new_id
from producer.exposition import exposed
from producer.logs import configure_logs
from producer.outbox import Outbox
from producer.settings import StationSettings
from producer.station import Received, Station

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    help="""An inspection station: photographs of cutting inserts in, verdicts back.

Settings come from the environment (`INSERTS_DATA`, `INSERTS_STATION`, `INSERTS_REDIS_URL`, `INSERTS_IMAGES`,
`INSERTS_OUTBOX`, `INSERTS_OUTBOX_LIMIT`, `INSERTS_METRICS_PORT`, `INSERTS_METRICS_ADDRESS`; of Redis also
`INSERTS_REDIS_PASSWORD` or `INSERTS_REDIS_PASSWORD_FILE`, and for TLS `INSERTS_REDIS_CA_FILE`,
`INSERTS_REDIS_CERT_FILE`, `INSERTS_REDIS_KEY_FILE`) or from the options before the command:

    insert-station --data var/line check photographs/ --machine mill-1 --head H12 --operation op-0815
""",
)
app.command("simulate")(cli_simulate.simulate)

console = Console(stderr=True)

Machine = Annotated[str, typer.Option(help="The milling machine's name.")]
Head = Annotated[str, typer.Option(help="The milling head's name.")]
Operation = Annotated[str, typer.Option(help="The machining operation that has just ended.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs on standard output.")]


def main() -> None:
    """Run ``insert-station``; a wrong input ends with its message, not with a traceback."""
    configure_logs(logging.WARNING)
    try:
        app()
    except (ValidationError, ValueError, OSError, sqlite3.Error) as error:
        fail(readable(error))


def fail(message: str) -> NoReturn:
    """End with ``message`` on standard error. Exit code 2, which `check` documents as "a person must look"."""
    console.print(f"[red]error[/red] {message}", highlight=False, soft_wrap=True)
    sys.exit(2)


def readable(error: Exception) -> str:
    """An error in words for the person at the terminal."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_url=False))
    return str(error) or type(error).__name__


@app.callback()
def settings(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Folder of the line's data (INSERTS_DATA).")] = None,
    station: Annotated[str | None, typer.Option(help="This station's name (INSERTS_STATION).")] = None,
) -> None:
    """Take the settings from the environment and the options before the command."""
    given: dict[str, Any] = {"data": data, "station": station}
    context.obj = StationSettings(**{name: value for name, value in given.items() if value is not None})


@contextmanager
def open_station(
    settings: StationSettings, on_answer: Callable[[Received], None] | None = None, *, measured: bool = False
) -> Iterator[tuple[Station, Outbox]]:
    """The station that ``settings`` describe, sending and listening, with its outbox.

    One that runs for long is ``measured``: its metrics are served where the settings say.
    """
    outbox = settings.open_outbox()
    try:
        station = Station(settings.station, settings.image_store(), outbox, settings.broker_url(), on_answer)
        port = settings.metrics_port if measured else None
        with exposed(station.metrics.registry, port, settings.metrics_address), station:
            yield station, outbox
    finally:
        outbox.close()


@app.command()
def publish(
    context: typer.Context,
    image: Annotated[Path, typer.Argument(help="The photograph's file.")],
    machine: Machine,
    head: Head,
    operation: Operation,
    pocket: Annotated[int, typer.Option(help="The pocket that the insert sits in, from 1.")],
    check_id: Annotated[UUID | None, typer.Option(help="The check that it belongs to; default: its own.")] = None,
    check_size: Annotated[int, typer.Option(help="How many inserts that check covers.")] = 1,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the verdict; 0: only hand it in.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Hand in one photograph and print its verdict.

    What is handed in is on this machine's disk. While it is not answered, every `insert-station` command of this
    station sends it again; `insert-station outbox --send 60` does just that. Exit code 0: answered (with --wait 0:
    sent); 2: kept in the outbox, not answered yet.
    """
    with open_station(context.obj) as (station, outbox):
        event = station.submit(
            image.read_bytes(),
            machine=machine,
            head=head,
            pocket=pocket,
            operation=operation,
            check_id=check_id or new_id(),
            check_size=check_size,
        )
        received = station.wait_for([event.capture_id], wait).get(event.capture_id)
        sent = received is not None or station.flush(10.0 if wait == 0 else 0.0)
        waiting = outbox.find(str(event.capture_id))
    if received is not None:
        typer.echo(received.answer.model_dump_json(exclude_none=True) if as_json else _line(received))
        return
    problem = waiting.problem if waiting and waiting.problem else "no answer yet"
    if as_json:
        typer.echo(json.dumps({"kind": "waiting", "capture_id": str(event.capture_id), "problem": problem}))
    else:
        typer.echo(f"kept in the outbox as {event.capture_id}: {problem}")
    raise typer.Exit(0 if wait == 0 and sent else 2)


@app.command()
def check(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Photographs of the whole head, named by pocket: 1.jpg, 2.jpg, …")],
    machine: Machine,
    head: Head,
    operation: Operation,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the whole head's verdict.")] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Check a whole head after an operation: go, or replace these pockets.

    Exit code 0: go. 1: replace the pockets that are printed. 2: a person must look (some insert could not be decided,
    the check did not finish in time, or the photographs could not be handed in).
    """
    photographs = photographs_in(folder)
    with open_station(context.obj) as (station, _):
        result = run_check(station, photographs, machine=machine, head=head, operation=operation, timeout=timeout)
    if as_json:
        typer.echo(json.dumps(_as_json(result)))
    else:
        typer.echo(_sentence(result))
    raise typer.Exit(result.exit_code)


@app.command()
def watch(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where photographs arrive: <machine>/<head>/<operation>/<pocket>.jpg")],
    check_size: Annotated[int, typer.Option(help="How many inserts a head carries.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Take a folder as a camera: every finished file below it becomes a capture.

    Handed-in files move to FOLDER/submitted; what cannot be handed in moves to FOLDER/rejected with the reason beside
    it. Answers are printed as they come. Ends on Ctrl-C or SIGTERM; what is not answered by then stays in the outbox.
    """
    from producer.watch import FolderCamera

    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    stop = threading.Event()
    # Set rather than left to Python, which ignores Ctrl-C where the shell started us in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def show(received: Received) -> None:
        typer.echo(received.answer.model_dump_json(exclude_none=True) if as_json else _line(received))

    def note(event: CaptureEvent) -> None:
        console.print(f"handed in {event.machine} {event.head} {event.operation} pocket {event.pocket}")

    with open_station(context.obj, on_answer=show, measured=True) as (station, outbox):
        FolderCamera(folder, station, outbox, check_size).run(stop, note)


@app.command()
def outbox(
    context: typer.Context,
    send: Annotated[float, typer.Option(help="First send what waits, for at most this many seconds.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Show what waits to be sent or answered, and why, and how full the outbox is.

    At INSERTS_OUTBOX_LIMIT waiting captures new ones are refused; nothing that was accepted is ever dropped.
    """
    if send > 0:
        with open_station(context.obj) as (station, box):
            box.hurry()
            station.wait_for([waiting.event.capture_id for waiting in box.waiting()], send)
            waiting = box.waiting()
    else:
        box = context.obj.open_outbox()
        waiting = box.waiting()
        box.close()
    if as_json:
        rows = [
            {"event": w.event.message(), "attempts": w.attempts, "stored_at": w.stored_at, "problem": w.problem}
            for w in waiting
        ]
        typer.echo(json.dumps(rows))
        return
    for entry in waiting:
        event = entry.event
        why = entry.problem or ("sent, not answered yet" if entry.attempts else "not sent yet")
        typer.echo(f"{event.capture_id}  {event.machine} {event.head} pocket {event.pocket}  {why}")
    limit = context.obj.outbox_limit
    typer.echo(f"{len(waiting)} waiting, {len(waiting) / limit:.0%} of the {limit} that may")


@app.command()
def schema(
    what: Annotated[str, typer.Argument(help="`capture` (what a station sends) or `answer` (what comes back).")],
) -> None:
    """Print the JSON Schema of a message, for stations in other languages."""
    typer.echo(schema_text(what), nl=False)


def schema_text(what: str) -> str:
    """The JSON Schema of ``capture`` or ``answer``, as it is kept in ``producer/schemas``.

    Raises:
        ValueError: there is no schema of that name.
    """
    if what == "capture":
        described = CaptureEvent.model_json_schema()
    elif what == "answer":
        described = ANSWERS.json_schema()
    else:
        raise ValueError(f"there is no schema {what!r}: ask for 'capture' or 'answer'")
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _line(received: Received) -> str:
    answer = received.answer
    if isinstance(answer, CheckAnswer):
        replace = f", replace {_pockets(answer.replace)}" if answer.replace else ""
        review = f", look at {_pockets(answer.review)}" if answer.review else ""
        return f"{answer.machine} {answer.head} {answer.operation}: {answer.state}{replace}{review}"
    if isinstance(answer, FaultAnswer):
        return f"pocket {answer.pocket or '?'}: fault, {answer.reason}"
    return f"pocket {answer.pocket}: {answer.outcome}" + (f" ({answer.reason})" if answer.reason else "")


def _sentence(result: CheckResult) -> str:
    if result.answer is None:
        return f"REVIEW  not finished in time: {len(result.answers)} of {len(result.submitted)} answered"
    if result.answer.state == "go":
        return "GO"
    replace = f"REPLACE pockets {_pockets(result.answer.replace)}" if result.answer.replace else "REVIEW"
    return replace + (f"  look at pockets {_pockets(result.answer.review)}" if result.answer.review else "")


def _as_json(result: CheckResult) -> dict[str, Any]:
    answer = result.answer
    return {
        "check_id": str(result.check_id),
        "state": answer.state if answer else "pending",
        "replace": answer.replace if answer else [],
        "review": answer.review if answer else [],
        "captures": len(result.submitted),
        "answered": len(result.answers),
    }


def _pockets(pockets: list[int]) -> str:
    return ", ".join(map(str, pockets))


if __name__ == "__main__":
    main()
