"""`insert-worker standalone`: the embedded system, run until it is stopped."""

from __future__ import annotations

from functools import partial

from producer.terminal.console import Console, line
from producer.terminal.programs import as_typed
from worker.embedded.bind_address import Bind
from worker.embedded.supervisor import StopSignal, Supervisor
from worker.embedded.system import EmbeddedSystem, locked
from worker.settings import WorkerSettings

_OR_FOLDER = "or now, insert-worker train FOLDER"


def run_standalone(settings: WorkerSettings, port: int, bind: str, console: Console) -> None:
    """Bring the line up and keep it up until SIGTERM or Ctrl-C.

    Raises:
        PortRefused: Redis or the metrics cannot listen where they are told to.
        StartFailed: the data folder is in use, or a part does not come up.
        NoRedisServer: there is no Redis server on this machine.
    """
    where = Bind.parse(bind)
    with StopSignal() as stop, locked(settings.data), Supervisor() as supervisor:
        system = EmbeddedSystem(settings, supervisor)
        system.check_ports(port, where)
        system.migrate()
        system.start_redis(port, where, should_stop=lambda: stop.asked)
        if not stop.asked:
            system.start_worker(60.0, lambda: stop.asked, partial(_report_waiting, console))
        if not stop.asked:
            system.start_learning()
            line(console, ("the line is up", "green"), f", its data in {settings.data}")
            line(console, f"  stations here: {as_typed('insert-station')} --data {settings.data} …")
            line(console, f"  verdicts:      {as_typed('insert-db')} --data {settings.data} verdicts")
            line(console, f"  reviews:       {as_typed('insert-db')} --data {settings.data} review")
            line(console, f"  a model:       comes from reviews; {_OR_FOLDER} --data {settings.data}")
        supervisor.run(lambda: stop.asked)
        line(console, "stopping")


def _report_waiting(console: Console, words: str) -> None:
    line(console, f"the worker is not ready yet; it said last: {words}")
