"""`insert-worker standalone`: the embedded system, run until it is stopped."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path

from producer.connect.configuration.connector_file import read_connector_file
from producer.terminal.console import TerminalConsole, line
from producer.terminal.programs import as_typed
from worker.embedded.bind_address import Bind
from worker.embedded.supervisor import StopSignal, Supervisor
from worker.embedded.system import EmbeddedSystem, free_console_port, locked
from worker.settings import WorkerSettings


def run_standalone(
    settings: WorkerSettings,
    port: int,
    bind: str,
    console: TerminalConsole,
    console_port: int | None = None,
    connect: Path | None = None,
) -> None:
    """Bring the line up and keep it up until SIGTERM or Ctrl-C.

    Without a `console_port` the console listens on its usual one, or where that is taken on any that is free. With the
    connector's file, `connect`, the systems that it names are told.

    Raises:
        ValueError: the connector's file cannot be read, or says what it cannot say.
        PortRefused: the console, Redis or the metrics cannot listen where they are told to.
        StartFailed: the data folder is in use, or a part does not come up.
        NoRedisServer: there is no Redis server on this machine.
    """
    where = Bind.parse(bind)
    if connect is not None:
        read_connector_file(connect)
    with StopSignal() as stop, locked(settings.data), Supervisor() as supervisor:
        system = EmbeddedSystem(settings, supervisor, connect)
        system.check_ports(port, where)
        pages = free_console_port(console_port)
        system.migrate()
        system.start_redis(port, where, should_stop=lambda: stop.came)
        if not stop.came:
            system.start_console(pages)  # before the worker, so that nobody else takes its port meanwhile
            system.start_worker(60.0, lambda: stop.came, partial(_report_waiting, console))
        if not stop.came:
            system.start_learning()
            system.start_connector()
            line(console, ("the line is up", "green"), f", its data in {settings.data}")
            for sentence in _what_to_do(settings.data, pages, connect is not None):
                line(console, f"  {sentence}")
        supervisor.run(lambda: stop.came)
        line(console, "stopping")


def _what_to_do(data: Path, pages: int, connects: bool) -> list[str]:
    station, database, worker = (as_typed(f"insert-{name}") for name in ("station", "db", "worker"))
    here = f"--data {shlex.quote(str(data))}"
    return [
        f"stations here: {station} {here} …",
        f"in a browser:  http://127.0.0.1:{pages}/",
        f"who may:       {database} {here} users add NAME --role administrator",
        f"verdicts:      {database} {here} verdicts",
        f"reviews:       {database} {here} review",
        *([f"connected:     {station} {here} connect status"] if connects else []),
        f"a model:       comes from reviews; or now, {worker} train FOLDER {here}",
    ]


def _report_waiting(console: TerminalConsole, words: str) -> None:
    line(console, f"the worker is not ready yet; it said last: {words}")
