"""`insert-station connect`: sends the line's answers to the other systems of the plant."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from producer.commands import opcua
from producer.commands.connect_by_hand import check_system, enable, existing_log, forget, give_up, put_away, replay
from producer.commands.options import settings_of
from producer.terminal.counts import counted
from producer.terminal.exit_codes import NO
from producer.terminal.options import Json, Limit
from producer.terminal.output import note, say, say_json

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Send the line's answers to the other systems of the plant: MQTT brokers, PLCs, OPC UA and webhooks.

One process does this for the whole plant. It keeps every answer on its own disk until each system has it, so a system
that is away for days misses nothing and delays no other. A file names the systems; `insert-station connect example`
prints one to start from.
""",
)
app.add_typer(opcua.app, name="opcua")

_RUN = "connect run"

File = Annotated[Path | None, typer.Argument(help="The connector's file. [env: INSERTS_CONNECT]")]


@app.command()
def example() -> None:
    """Print a connector's file to start from.

    Example: `insert-station connect example > connect.toml`
    """
    from producer.connect.configuration.example_file import EXAMPLE

    say(EXAMPLE, end="")


@app.command()
def secret() -> None:
    """Print a new secret for a webhook. Store it in a file, and give it to the person who runs the receiver.

    Example: `insert-station connect secret > mes_secret`
    """
    from producer.connect.sinks.signature import new_secret

    say(new_secret())


@app.command()
def run(context: typer.Context, file: File = None) -> None:
    """Send answers to the systems that the file names, until Ctrl-C or SIGTERM.

    The first start begins with the line's next answer; each later start continues where the last one ended. Only one
    process may run on a data folder. With INSERTS_METRICS_PORT it serves metrics: lag, waiting and delivered events.

    Exit codes: 0: ended on request. 2: it could not start.

    Example: `insert-station --data var/line connect run connect.toml`
    """
    settings = settings_of(context)
    chosen = file or settings.connect
    if chosen is None:
        raise ValueError("which systems? Name the connector's file, or set INSERTS_CONNECT to it")
    from producer.connect.configuration.connector_file import read_connector_file
    from producer.connect.connector import Connector
    from producer.connect.insert_change_outbox import InsertChangeOutbox
    from producer.connect.metrics import connector_metrics
    from producer.station.folder_lock import FolderLock
    from producer.station.register_watch import RegisterWatch
    from producer.telemetry.metrics_server import exposed

    configuration = read_connector_file(chosen)
    redis_url = settings.broker_url()  # before anything is made in a folder that may be mistyped
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as parts:
        log = settings.open_delivery_log()
        parts.callback(log.close)
        parts.callback(FolderLock(log.path.parent, _RUN).close)
        changes = InsertChangeOutbox(log.path.parent)
        parts.callback(changes.close)
        register = settings.head_register()
        try:
            connector = Connector(configuration, redis_url, log, changes)
        except ImportError as error:
            raise ValueError(opcua.not_installed(error)) from None
        parts.enter_context(exposed(connector_metrics(log), settings.metrics_port, settings.metrics_address))
        if register is not None:
            parts.enter_context(RegisterWatch(register, connector.declare, settled_after=settings.settled_after))
        note(f"telling {', '.join(name for name, _ in configuration.sinks())} (Ctrl-C ends it)")
        connector.run(stop)


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Show each system's state: whether it is reachable, what waits for it and since when, and what was wrong.

    It also names machines and heads in the connector's file that the line has not mentioned yet: they may be mistyped.

    Exit codes: 0: `connect run` runs, every system is up and accepts its events, and none was given up. 1: not so.
    2: nothing was sent from this data folder yet.

    Example: `insert-station --data var/line connect status`
    """
    from producer.connect.connector_problems import current_states
    from producer.connect.insert_change_outbox import InsertChangeOutbox
    from producer.connect.unheard_machines import unheard
    from producer.station.folder_lock import is_taken

    log = existing_log(context)
    try:
        runs = is_taken(log.path.parent)
        sinks, unknown = current_states(log), unheard(log)
        changes = InsertChangeOutbox(log.path.parent)
        waiting = len(changes)
        changes.close()
    finally:
        log.close()
    if waiting:
        note(f"{counted(waiting, 'insert change')} from other systems: no worker has written them yet")
    if not runs:
        note("no `connect run` runs on this data folder, so nothing is sent: this is the state at its end")
    if as_json:
        say_json([{**vars(sink), "running": runs, "unheard": unknown.get(sink.name, [])} for sink in sinks])
    for sink in () if as_json else sinks:
        state = "disabled" if sink.disabled else "up" if sink.up else "away"
        say(f"{sink.name}: {state} since {_moment(sink.since)}, {counted(sink.delivered, 'event')} delivered")
        if sink.waiting and sink.oldest is not None:
            say(f"  {counted(sink.waiting, 'event')} waiting, the oldest of {_moment(sink.oldest)}")
        if sink.given_up:
            say(f"  {counted(sink.given_up, 'event')} given up: `insert-station connect deliveries --state given-up`")
        if sink.problem:
            say(f"  {sink.problem}")
        if places := unknown.get(sink.name):
            say(f"  the line has not mentioned {', '.join(places)} yet: is the name right?")
    if not runs or any(sink.disabled or sink.given_up or not sink.up or sink.problem for sink in sinks):
        raise typer.Exit(NO)


@app.command()
def deliveries(
    context: typer.Context,
    sink: Annotated[str | None, typer.Option("--system", help="Only deliveries to this system.")] = None,
    state: Annotated[
        Literal["waiting", "delivered", "given-up", "put-away"] | None,
        typer.Option(help="Only deliveries in this state."),
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the deliveries, newest first. Delivered events are kept for a week.

    Example: `insert-station connect deliveries --system mes --state waiting`
    """
    from typing import cast

    from producer.connect.deliveries.delivery_log import State

    log = existing_log(context)
    try:
        if sink is not None:
            check_system(log, sink)
        rows = log.latest(sink, None if state is None else cast(State, state.replace("-", " ")), limit)
    finally:
        log.close()
    if as_json:
        say_json(
            [
                {
                    "system": row.sink,
                    "event": row.event.model_dump(mode="json", exclude_none=True),
                    "state": row.state,
                    "attempts": row.attempts,
                    "problem": row.problem,
                }
                for row in rows
            ]
        )
        return
    for row in rows:
        subject = row.event.subject or row.event.source
        tried = f", tried {row.attempts} times" if row.attempts else ""
        problem = f": {row.problem}" if row.problem else ""
        moment = _moment(row.event.time.timestamp())
        say(f"{row.event.id}  {row.sink}  {moment}  {row.event.kind} {subject}  {row.state}{tried}{problem}")
    if not rows:
        note("no deliveries")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


for _command in (replay, give_up, put_away, forget, enable):
    app.command(_command.__name__.replace("_", "-"))(_command)
