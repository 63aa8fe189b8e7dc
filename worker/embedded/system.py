"""The whole system on one machine: Redis, a SQLite database, a worker and what is beside it, below one data folder."""

from __future__ import annotations

import fcntl
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from db.line.schema_upgrade import upgrade
from producer.configuration.ports import CONSOLE_PORT, PortRefused, PortTaken, check_port, holder
from worker.embedded.bind_address import Bind
from worker.embedded.redis_server import LOCAL, RedisFiles, free_port, prepare_redis
from worker.embedded.supervisor import GRACE, ChildProcess, Supervisor
from worker.settings import WorkerSettings


class StartFailed(RuntimeError):
    """A part of the embedded system did not come up; the message ends with the last words of its log."""


class EmbeddedSystem:
    """Starts the parts one after the other; the supervisor restarts and ends their processes."""

    def __init__(self, settings: WorkerSettings, supervisor: Supervisor, connect: Path | None = None):
        """Describe the system below `settings.data`, with the connector's file where it has one; nothing is started."""
        self.settings = settings
        self.data = settings.data
        self._supervisor = supervisor
        self._connect = connect

    def check_ports(self, port: int, bind: Bind = LOCAL) -> None:
        """Check that the parts can listen where they are told to, before any is started.

        Raises:
            PortRefused: one of them cannot; the message says what to do.
        """
        folder = (self.data / "redis").absolute()
        for address in bind.addresses:
            # The Redis of a system that was killed just now ends by itself.
            _once_left_by(folder, port, partial(check_port, address, port, "--port"))
        metrics = self.settings.metrics_port
        if metrics is None:
            return
        last = metrics + (1 if self._connect is None else 2)
        for number in range(metrics, last + 1):
            if number == port:
                raise PortRefused(f"port {port} cannot be for Redis and for metrics: choose another with --port")
            for address in Bind.parse(self.settings.metrics_address).addresses:
                check_port(address, number, f"INSERTS_METRICS_PORT ({metrics} to {last}, a port for each process)")

    def start_redis(self, port: int, bind: Bind = LOCAL, should_stop: Callable[[], bool] = lambda: False) -> RedisFiles:
        """Start Redis with its data below the folder, and wait until it answers.

        Raises:
            NoRedisServer, StartFailed: there is no server, or it does not come up.
        """
        files = prepare_redis(self.data, port, bind)
        child = ChildProcess("redis", files.command, self.data / "logs" / "redis.log")
        self._supervisor.add(child)
        try:
            files.wait_until_up(timeout=20.0, should_stop=lambda: should_stop() or child.exit_code() is not None)
        except TimeoutError as error:
            raise StartFailed(f"{error}\n{child.last_words()}") from error
        if child.exit_code() is not None:
            raise StartFailed(f"Redis did not come up\n{child.last_words()}")
        return files

    def migrate(self) -> None:
        """Bring the database's tables to this version."""
        upgrade(self.settings.url)

    def start_worker(
        self,
        timeout: float = 120.0,
        should_stop: Callable[[], bool] = lambda: False,
        on_wait: Callable[[str], None] | None = None,
    ) -> ChildProcess:
        """Start a worker and wait until it takes messages.

        With `on_wait` a worker that runs is waited for as long as it takes, since it logs itself what it waits for
        (a Redis whose disk is full, say): `on_wait` is called with its last line, once, after `timeout` seconds.

        Raises:
            StartFailed: it ended, or was not ready in time.
        """
        ready = self.data / "run" / "worker.ready"
        ready.parent.mkdir(parents=True, exist_ok=True)
        ready.unlink(missing_ok=True)
        child = ChildProcess(
            "worker",
            [sys.executable, "-m", "worker.commands.main", "run", "--ready-file", str(ready)],
            self.data / "logs" / "worker.log",
            self.environment(),
        )
        self._supervisor.add(child)
        end = time.monotonic() + timeout
        while not ready.exists():
            late = time.monotonic() > end
            if child.exit_code() is not None or (late and on_wait is None):
                raise StartFailed(f"the worker did not come up\n{child.last_words()}")
            if late and on_wait is not None:
                on_wait(child.last_words(1))
                end = math.inf
            if should_stop():
                break
            self._supervisor.restart_dead()  # Redis may die in the meantime
            time.sleep(0.05)
        return child

    def start_learning(self) -> None:
        """Start the learner and its scheduler, without waiting for them."""
        environment = self._metrics_beside(1)
        environment.pop("INSERTS_HEARTBEAT", None)  # the worker's
        for name in ("learn", "beat"):
            command = [sys.executable, "-m", "worker.commands.main", name]
            self._supervisor.add(ChildProcess(name, command, self.data / "logs" / f"{name}.log", environment))

    def start_console(self, port: int, open_board: bool = False) -> None:
        """Start the console for browsers on this machine, without waiting for it; its board with or without a login."""
        command = [sys.executable, "-m", "db.commands.main", "console", "--port", str(port)]
        environment = self.environment() | ({"INSERTS_CONSOLE_OPEN_BOARD": "true"} if open_board else {})
        self._supervisor.add(ChildProcess("console", command, self.data / "logs" / "console.log", environment))

    def start_connector(self) -> None:
        """Start what tells the other systems of the plant, where it has a file, without waiting for it."""
        if self._connect is None:
            return
        command = [sys.executable, "-m", "producer.commands.main", "connect", "run", str(self._connect.absolute())]
        self._supervisor.add(
            ChildProcess("connect", command, self.data / "logs" / "connect.log", self._metrics_beside(2))
        )

    def environment(self) -> dict[str, str]:
        """The environment in which every command opens this system."""
        environment = self.settings.environment() | {"INSERTS_DATA": str(self.data.absolute())}
        # The embedded Redis and its password are found through the data folder's private file.
        environment.pop("INSERTS_REDIS_URL", None)
        return environment

    def _metrics_beside(self, number: int) -> dict[str, str]:
        """The environment of a process that serves its metrics so many ports after the worker."""
        environment = self.environment()
        if self.settings.metrics_port is not None:
            environment["INSERTS_METRICS_PORT"] = str(self.settings.metrics_port + number)
        return environment


def free_console_port(wanted: int | None = None) -> int:
    """The port for a console on this machine: the one that is wanted, or its usual one, or where that is taken any.

    Raises:
        PortRefused: the console cannot listen on the port that is wanted.
    """
    if wanted is not None:
        check_port(LOCAL.host, wanted, "--console-port")
        return wanted
    try:
        check_port(LOCAL.host, CONSOLE_PORT, "--console-port")
    except PortTaken:
        return free_port()
    return CONSOLE_PORT


def _once_left_by(folder: Path, port: int, check: Callable[[], None]) -> None:
    end = time.monotonic() + GRACE
    while True:
        try:
            return check()
        except PortTaken:
            held = holder(port)
            if held is None or held.folder != folder.resolve() or time.monotonic() > end:
                raise
        time.sleep(0.1)


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the data folder for one embedded system at a time.

    Raises:
        StartFailed: another one holds it.
    """
    data.mkdir(parents=True, exist_ok=True)
    handle = os.open(data / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StartFailed(f"{data} is in use by another standalone system or demo; stop that one first") from None
    try:
        yield
    finally:
        os.close(handle)
