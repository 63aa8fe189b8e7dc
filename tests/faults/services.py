"""Real services that can be made to fail: Redis, PostgreSQL, SQLite, and workers that somebody starts again."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import psutil
import psycopg

from db.engine import migrate
from tests.forked_commands import RunningCommand, start_command
from tests.integration.postgres_server import Server, wait_until_ready


class FailingDatabase(Protocol):
    """A database with a way to be away for a while."""

    url: str

    def fail(self, seconds: float) -> None:
        """Be away, or closed to others, for about so long; back on return."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Sqlite:
    """A SQLite file that another process locks."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "inserts.db"
        self.url = f"sqlite:///{self._file}"
        migrate.upgrade(self.url)

    def fail(self, seconds: float) -> None:
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=60)
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")
        connection.close()

    def close(self) -> None:
        """Nothing runs."""


class Postgres:
    """A durable PostgreSQL that is ended at once, as a crash of its machine would, and started again."""

    def __init__(self) -> None:
        # A socket's path must be short.
        self._folder = Path(tempfile.mkdtemp(prefix="inserts-pg-"))
        self._server = Server(self._folder, durable=True)
        self._process: subprocess.Popen[bytes] = self._server.start()
        wait_until_ready(self._process, self._folder)
        with psycopg.connect(host=str(self._folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE inserts")
        self.url = f"postgresql+psycopg://postgres@/inserts?host={self._folder}"
        migrate.upgrade(self.url)

    def fail(self, seconds: float) -> None:
        self._process.send_signal(signal.SIGQUIT)  # what `pg_ctl -m immediate` sends: no clean shutdown
        self._process.wait(30)
        time.sleep(seconds)
        self._process = self._server.start()
        wait_until_ready(self._process, self._folder)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Every process of the server stands still until the block ends: connections stay, answers do not come."""
        processes = [psutil.Process(self._process.pid), *psutil.Process(self._process.pid).children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def close(self) -> None:
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)


class Workers:
    """Worker processes that are started again whenever they end, as the supervisor or compose does."""

    def __init__(self, count: int, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._stop = threading.Event()
        self._processes: dict[int, RunningCommand] = {}
        for number in range(count):
            self._start(number)
        self._tender = threading.Thread(target=self._tend)
        self._tender.start()

    def kill_one(self, choice: float, timeout: float = 90.0) -> bool:
        """`kill -9` one that takes messages; `choice` in [0, 1) says which. False if none was ready in time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            ready = [number for number in self._processes if self._ready_file(number).exists()]
            if ready:
                number = ready[int(choice * len(ready))]
                self._ready_file(number).unlink()
                os.killpg(self._processes[number].pid, signal.SIGKILL)
                return True
            time.sleep(0.05)
        return False

    def kill_one_process(self, choice: float, timeout: float = 90.0) -> bool:
        """`kill -9` one process that judges, and not its worker. False if there was none in time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with suppress(psutil.NoSuchProcess):  # somebody else was faster
                ready = [worker for number, worker in self._processes.items() if self._ready_file(number).exists()]
                judging = [child for worker in ready for child in psutil.Process(worker.pid).children()]
                if judging:
                    judging[int(choice * len(judging))].kill()
                    return True
            time.sleep(0.05)
        return False

    def close(self) -> None:
        """End them all, and wait."""
        self._stop.set()
        self._tender.join()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _tend(self) -> None:
        while not self._stop.wait(0.1):
            for number, process in list(self._processes.items()):
                if process.poll() is not None:
                    self._start(number)

    def _start(self, number: int) -> None:
        self._ready_file(number).unlink(missing_ok=True)
        own = {"INSERTS_HEARTBEAT": str(self._folder / f"worker-{number}.heartbeat")}
        self._processes[number] = start_command(
            "insert-worker",
            *("run", "--ready-file", str(self._ready_file(number))),
            environment=self._environment | own,
            log=self._folder / f"worker-{number}.log",
            start_new_session=True,
        )

    def _ready_file(self, number: int) -> Path:
        return self._folder / f"worker-{number}.ready"
