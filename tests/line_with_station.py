"""A line in a folder, its worker a real process of one judging process, with a station that asks it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from producer.delivery.outbox import Outbox
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import start_command
from tests.support import RedisProcess, wait_until


def environment_of(data: Path, redis_server: RedisProcess) -> dict[str, str]:
    """What tells a command where the line is."""
    return os.environ | {"INSERTS_DATA": str(data), "INSERTS_REDIS_URL": redis_server.url}


@contextmanager
def line_with_station(data: Path, redis_server: RedisProcess, folder: Path) -> Iterator[Station]:
    """A station of the line in `data`, whose worker is ready; logs and outbox are in `folder`."""
    ready = folder / "ready"
    environment = environment_of(data, redis_server) | {"INSERTS_PROCESSES": "1"}
    with ExitStack() as parts:
        command = ("insert-worker", "run", "--ready-file", str(ready))
        worker = start_command(*command, environment=environment, log=folder / "worker.log")
        parts.callback(worker.wait, 40)
        parts.callback(worker.terminate)
        wait_until(ready.exists, 60, "a ready worker")
        outbox = Outbox(folder / "outbox.db")
        parts.callback(outbox.close)
        yield parts.enter_context(Station("station-1", FolderStore(data / "images"), outbox, redis_server.url))
