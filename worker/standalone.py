"""The embedded system, kept up for a small shop."""

from __future__ import annotations

from producer.console import Console, line
from worker.embedded import EmbeddedSystem, locked
from worker.settings import WorkerSettings
from worker.supervisor import StopSignal, Supervisor

_OR_FOLDER = "or now, insert-worker train FOLDER"


def run_standalone(settings: WorkerSettings, port: int, bind: str, console: Console) -> None:
    """Bring the line up and keep it up until SIGTERM or Ctrl-C.

    Raises:
        StartFailed: the data folder is in use, or a part does not come up.
        NoRedisServer: there is no Redis server on this machine.
    """
    with StopSignal() as stop, locked(settings.data), Supervisor() as supervisor:
        system = EmbeddedSystem(settings, supervisor)
        system.migrate()
        system.start_redis(port, bind)
        system.start_worker(should_stop=lambda: stop.asked)
        if not stop.asked:
            system.start_learning()
            line(console, ("the line is up", "green"), f", its data in {settings.data}")
            line(console, f"  stations here: insert-station --data {settings.data} …")
            line(console, f"  verdicts:      insert-db --data {settings.data} verdicts")
            line(console, f"  reviews:       insert-db --data {settings.data} review")
            line(console, f"  a model:       comes from reviews; {_OR_FOLDER} --data {settings.data}")
        supervisor.run(lambda: stop.asked)
        line(console, "stopping")
