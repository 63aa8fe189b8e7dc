"""A line in a folder, its worker a real process of one judging process; with a station that asks it, or without one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from producer.delivery.outbox import Outbox
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import RunningCommand, start_command
from tests.support import RedisProcess, wait_until


def environment_of(data: Path, redis_server: RedisProcess) -> dict[str, str]:
    """What tells a command where the line is."""
    return os.environ | {"INSERTS_DATA": str(data), "INSERTS_REDIS_URL": redis_server.url}


@contextmanager
def line_at_work(data: Path, folder: Path) -> Iterator[RunningCommand]:
    """The worker, which is ready, of the line in `data`; its log is in `folder`.

    Its Redis is that of a standalone system: commands that are told `data` find it. A third of what a standalone system
    costs, whose learner, scheduler and console are for who asks something of them.
    """
    redis = RedisProcess(data)
    redis.start()
    try:
        with _worker(environment_of(data, redis), folder) as worker:
            yield worker
    finally:
        redis.kill()


@contextmanager
def line_with_station(data: Path, redis_server: RedisProcess, folder: Path) -> Iterator[Station]:
    """A station of the line in `data`, whose worker is ready; logs and outbox are in `folder`."""
    with ExitStack() as parts:
        parts.enter_context(_worker(environment_of(data, redis_server), folder))
        outbox = Outbox(folder / "outbox.db")
        parts.callback(outbox.close)
        yield parts.enter_context(Station("station-1", FolderStore(data / "images"), outbox, redis_server.url))


@contextmanager
def _worker(environment: dict[str, str], folder: Path) -> Iterator[RunningCommand]:
    ready, log = folder / "ready", folder / "worker.log"
    command = ("insert-worker", "run", "--ready-file", str(ready))
    worker = start_command(*command, environment=environment | {"INSERTS_PROCESSES": "1"}, log=log)
    try:
        wait_until(lambda: ready.exists() or worker.poll() is not None, 60, "a ready worker")
        assert worker.poll() is None, log.read_text()
        yield worker
    finally:
        worker.terminate()
        worker.wait(40)
