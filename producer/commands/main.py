"""The station's command, `insert-station`."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from producer.commands import check as cli_check
from producer.commands import connect as cli_connect
from producer.commands import heads as cli_heads
from producer.commands import publish as cli_publish
from producer.commands import safe_name
from producer.commands import simulate as cli_simulate
from producer.commands.options import seconds, settings_of
from producer.pictures.file_names import MAX_POCKET
from producer.terminal.entry_point import run
from producer.terminal.error_text import in_words
from producer.terminal.option_places import AnyPlace
from producer.terminal.options import Data, Json
from producer.terminal.output import note, say, say_json

if TYPE_CHECKING:
    from producer.contract.event import CaptureEvent

app = typer.Typer(
    cls=AnyPlace,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    help="""An inspection station: photographs of cutting inserts in, verdicts back.

Settings come from the environment (`INSERTS_DATA`, `INSERTS_STATION`, `INSERTS_REDIS_URL`, `INSERTS_IMAGES`,
`INSERTS_OUTBOX`, `INSERTS_OUTBOX_LIMIT`, `INSERTS_GROUP`, `INSERTS_HEADS`, `INSERTS_SETTLED_AFTER`,
`INSERTS_WATCH_EVERY`, `INSERTS_CHECK_TIMEOUT`, `INSERTS_CONNECT`, `INSERTS_METRICS_PORT`, `INSERTS_METRICS_ADDRESS`;
of Redis also `INSERTS_REDIS_PASSWORD` or `INSERTS_REDIS_PASSWORD_FILE`, and for TLS
`INSERTS_REDIS_CA_FILE`, `INSERTS_REDIS_CERT_FILE`, `INSERTS_REDIS_KEY_FILE`) or from options:

    insert-station --data var/line check photographs/ --machine mill-1 --head H12 --operation op-0815
""",
)
app.command("check")(cli_check.check)
app.command("publish")(cli_publish.publish)
app.add_typer(cli_heads.app, name="heads")
app.command("simulate")(cli_simulate.simulate)
app.add_typer(cli_connect.app, name="connect")
app.command("safe-name")(safe_name.safe)


def main() -> None:
    """Run `insert-station`; a wrong input ends with its message, not with a traceback.

    The exit code is 2 then, which `check` documents as "a person must look".
    """
    run(app, explained=explained, prefix="error")


def explained(error: Exception) -> str | None:
    """An error in words for the person at the terminal; None for one that is a fault of the program."""
    return in_words(error) if isinstance(error, (ValueError, OSError, sqlite3.Error)) else None


@app.callback()
def settings(
    context: typer.Context,
    data: Data = None,
    station: Annotated[str | None, typer.Option(help="This station's name (INSERTS_STATION).")] = None,
    heads: Annotated[Path | None, typer.Option(help="The head register's file (INSERTS_HEADS).")] = None,
) -> None:
    """Keep the options of all commands for `settings_of`."""
    context.obj = {"data": data, "station": station, "heads": heads}


@app.command()
def watch(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="They arrive here: `<machine>/<head>/<operation>/<pocket>.jpg`")],
    check_size: Annotated[
        int | None, typer.Option(min=1, max=MAX_POCKET, help="How many pockets a head has that the register does not.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Treat a folder as a camera: every finished file below it becomes a capture.

    A file is finished when its size and time are unchanged for INSERTS_SETTLED_AFTER seconds (2), no process has it
    open for writing, and it is complete to its end; one that stays doubtful for a minute is handed in as it is. The
    folder is read every INSERTS_WATCH_EVERY seconds (1), network shares too, and may go away and come back.

    Handed-in files move to FOLDER/submitted; what cannot be handed in moves to FOLDER/rejected with the reason beside
    it. In a folder that may only be read they stay and are remembered. One process watches a folder at a time.

    The head register (INSERTS_HEADS) says how many pockets each head has, else --check-size; where neither does, the
    photograph is rejected. So is one that belongs to no pocket of its head; its check ends with "review", and so does
    one beside whose photographs a file of any name lies that may be a newer one.

    Answers are printed as they come. Ends on Ctrl-C or SIGTERM; what is not answered by then stays in the outbox.

    Example: `insert-station watch /camera/out --check-size 30`
    """
    from producer.commands.answer_text import show
    from producer.commands.opening import open_station
    from producer.station.declared_heads import DeclaredHeads
    from producer.station.folder_camera import FolderCamera
    from producer.station.hanging_folder import LookProgress, run_aside

    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder" if folder.exists() else f"there is no folder {folder}")
    settings = settings_of(context)
    heads = DeclaredHeads(check_size, settings.head_register(), settled_after=settings.settled_after)
    stop = threading.Event()
    # Set rather than left to Python, which ignores Ctrl-C where the shell started us in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def handed_in(event: CaptureEvent) -> None:
        note(f"handed in {event.machine} {event.head} {event.operation} pocket {event.pocket}")

    with open_station(settings, on_answer=lambda received: show(received, as_json), measured=True) as (station, outbox):
        progress = LookProgress()

        def work() -> None:
            camera = FolderCamera(
                folder,
                station,
                outbox,
                heads,
                settled_after=settings.settled_after,
                every=settings.watch_every,
                check_timeout=settings.check_timeout,
                progress=progress,
            )
            camera.run(stop, handed_in)

        run_aside(work, progress, folder, stop)


@app.command()
def outbox(
    context: typer.Context,
    send: Annotated[float, seconds("First send what waits, for at most this many seconds.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Show what waits to be sent or answered, and why, and how full the outbox is.

    At INSERTS_OUTBOX_LIMIT waiting captures new ones are refused; nothing that was accepted is ever dropped.

    Examples:

    - `insert-station outbox`
    - `insert-station outbox --send 60`
    """
    from producer.commands.opening import open_station

    settings = settings_of(context)
    if send > 0:
        with open_station(settings) as (station, box):
            box.make_all_due()
            station.wait_for([waiting.event.capture_id for waiting in box.waiting()], send)
            waiting = box.waiting()
    else:
        if not settings.outbox_path().exists():
            settings.broker_url()  # where there is no line, say so
        box = settings.open_outbox()
        waiting = box.waiting()
        box.close()
    if as_json:
        rows = [
            {"event": w.event.message(), "attempts": w.attempts, "stored_at": w.stored_at, "problem": w.problem}
            for w in waiting
        ]
        say_json(rows)
        return
    for entry in waiting:
        event = entry.event
        why = entry.problem or ("sent, not answered yet" if entry.attempts else "not sent yet")
        say(f"{event.capture_id}  {event.machine} {event.head} pocket {event.pocket}  {why}")
    limit = settings.outbox_limit
    say(f"{len(waiting)} waiting, {len(waiting) / limit:.0%} of the {limit} that may")


@app.command()
def schema(
    what: Annotated[
        str,
        typer.Argument(
            help="`capture` (an event), `message` (one to a hundred of them, as sent), `answer` (what comes back), "
            "`event` (what other systems are told) or `insert-change` (what they may tell us)."
        ),
    ],
) -> None:
    """Print the JSON Schema of a message, for stations in other languages.

    Example: `insert-station schema capture`
    """
    from producer.contract.json_schema import schema_text

    say_json(json.loads(schema_text(what)), indent=2)


if __name__ == "__main__":
    main()
