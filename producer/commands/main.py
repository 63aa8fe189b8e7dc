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

    insert-station --data var/line check photographs/ --machine mill-1 --head H12 --operation op-0815

Settings come from options, or else from the environment:

- the line: `INSERTS_DATA`, `INSERTS_REDIS_URL`, `INSERTS_IMAGES`
- the station: `INSERTS_STATION`, `INSERTS_GROUP`, `INSERTS_HEADS`, `INSERTS_OUTBOX`, `INSERTS_OUTBOX_LIMIT`
- photographs and checks: `INSERTS_SETTLED_AFTER`, `INSERTS_WATCH_EVERY`, `INSERTS_CHECK_TIMEOUT`
- Redis's password: `INSERTS_REDIS_PASSWORD` or `INSERTS_REDIS_PASSWORD_FILE`
- Redis over TLS: `INSERTS_REDIS_CA_FILE`, `INSERTS_REDIS_CERT_FILE`, `INSERTS_REDIS_KEY_FILE`
- other systems and metrics: `INSERTS_CONNECT`, `INSERTS_METRICS_PORT`, `INSERTS_METRICS_ADDRESS`
""",
)
app.command("check")(cli_check.check)
app.command("publish")(cli_publish.publish)
app.add_typer(cli_heads.app, name="heads")
app.command("simulate")(cli_simulate.simulate)
app.add_typer(cli_connect.app, name="connect")
app.command("safe-name")(safe_name.safe)


def main() -> None:
    """Run `insert-station`; a wrong input ends with its message and exit code 2, not with a traceback."""
    run(app, explained=explained, program="insert-station")


def explained(error: Exception) -> str | None:
    """An error in words for the person at the terminal; None for one that is a fault of the program."""
    return in_words(error) if isinstance(error, (ValueError, OSError, sqlite3.Error)) else None


@app.callback()
def settings(
    context: typer.Context,
    data: Data = None,
    station: Annotated[str | None, typer.Option(help="This station's name. [env: INSERTS_STATION]")] = None,
    heads: Annotated[Path | None, typer.Option(help="The head register's file. [env: INSERTS_HEADS]")] = None,
) -> None:
    """Keep the options of all commands for `settings_of`."""
    context.obj = {"data": data, "station": station, "heads": heads}


@app.command()
def watch(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help="Where photographs arrive, as `<machine>/<head>/<operation>/<pocket>.jpg`.")
    ],
    check_size: Annotated[
        int | None, typer.Option(min=1, max=MAX_POCKET, help="How many pockets a head has that is not in the register.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Treat a folder as a camera: every finished file below it becomes a capture.

    A file is finished when its size and time have not changed for INSERTS_SETTLED_AFTER seconds (2), no process has it
    open for writing, and its content is complete. If that stays in doubt for a minute, the file is handed in as it is.
    The folder is read every INSERTS_WATCH_EVERY seconds (1). It may be on a network share, and go away and come back.

    Files that were handed in move to FOLDER/submitted. Files that cannot be handed in move to FOLDER/rejected, with the
    reason beside each. In a read-only folder the files stay, and the command remembers them. Only one process watches a
    folder at a time.

    The head register (INSERTS_HEADS) says how many pockets each head has, or else `--check-size`. If neither does, the
    photograph is rejected. A photograph of a pocket that its head does not have is rejected too, and its check ends as
    "review". So does a check if a file beside its photographs may be a newer photograph.

    Answers are printed as they come. The command ends on Ctrl-C or SIGTERM; captures without an answer stay in the
    outbox.

    Exit codes: 0: ended on request. 2: the folder or a setting cannot be used.

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
    timeout: Annotated[
        float, seconds("Send what waits first, and wait this many seconds for the answers; 0 only shows it.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Show which captures wait to be sent or answered, why, and how full the outbox is.

    From INSERTS_OUTBOX_LIMIT waiting captures on, it refuses new ones. It never drops a capture that it accepted.

    Examples:

    - `insert-station outbox`
    - `insert-station outbox --timeout 60`
    """
    from producer.commands.opening import open_station

    settings = settings_of(context)
    if timeout > 0:
        with open_station(settings) as (station, box):
            box.make_all_due()
            station.wait_for([waiting.event.capture_id for waiting in box.waiting()], timeout)
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
        say(f"{event.capture_id}  {event.machine} {event.head} pocket {event.pocket}  {entry.why}")
    limit = settings.outbox_limit
    say(f"{len(waiting)} waiting, {len(waiting) / limit:.0%} of the {limit} that may")


@app.command()
def schema(
    what: Annotated[
        str,
        typer.Argument(
            help="`capture` (an event), `message` (one to a hundred events, as sent), `answer` (what comes back), "
            "`event` (what other systems receive) or `insert-change` (what they may send)."
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
