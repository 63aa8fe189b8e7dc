"""Runs a command as a process of its own, forked from one that has imported what commands need.

That is `tests.command_server`, for all processes of the session. To import SQLAlchemy, scikit-learn and TensorFlow
takes longer than what most commands do. There are two of them: a process with TensorFlow in it takes three times as
long to fork as one without. Where a test asks what a command does, and not how it starts, it runs it here:
with its own arguments, environment, streams and exit code, as a shell would. It is killed, stopped and asked for its
exit code as any process.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import command_server
from tests.command_server import Request
from tests.leftovers import MARK

_COMMANDS = {
    "insert-db": "db.commands.main",
    "insert-station": "producer.commands.main",
    "insert-worker": "worker.commands.main",
}
_IMPORTED = (
    "tests.built_commands:build",
    "psycopg",
    "db.console.serving",
    "db.engine.database",
    "db.engine.migrate",
    "producer.station.station",
    "producer.connect.connector",
    "producer.connect.sinks.mqtt",
    "producer.connect.sinks.plc",
    "producer.connect.sinks.webhook",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.websockets.wsproto_impl",
    "worker.settings",
    "worker.line.serve",
    "celery.beat",
    "celery.bin.worker",
    "celery.concurrency.prefork",
    "celery.loaders.app",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.loops",
    "worker.learning.app",
)
_IMPORTED_TO_LEARN = (
    *_IMPORTED,
    "worker.learning.on_request",
    "worker.learning.serve",
    "worker.learning.tasks",
    "tensorflow",
    "keras",
)
_WITHOUT_LEARNING = ("run", "beat", "health")
"""What `insert-worker` does without TensorFlow and scikit-learn, as the import contracts have it."""


def run_command(
    name: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    typed: str = "",
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """What the command prints and ends with; `environment` is all of it, this process's own when absent.

    Raises:
        subprocess.TimeoutExpired: it has not ended by then, and was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        said, read = (Path(folder) / "out", Path(folder) / "err"), Path(folder) / "in"
        read.write_text(typed, "utf-8")
        command = _started(name, arguments, environment, cwd, *said, stdin=read)
        try:
            code = command.wait(timeout)
        except subprocess.TimeoutExpired:
            command.kill()
            command.wait()
            raise
        out, err = (each.read_text("utf-8") for each in said)
        return subprocess.CompletedProcess([name, *arguments], code, out, err)


class RunningCommand:
    """A command as a process that goes on, with what `subprocess.Popen` has for it."""

    def __init__(self, name: str, connection: socket.socket) -> None:
        self.returncode: int | None = None
        self._name, self._connection, self._lock = name, connection, threading.Lock()
        self.pid = self._number(None)

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code.

        Raises:
            subprocess.TimeoutExpired: it has not ended by then.
        """
        with self._lock:
            if self.returncode is None:
                self.returncode = self._number(timeout)
                self._connection.close()
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _number(self, timeout: float | None) -> int:
        """What is said next on the connection."""
        if not select.select([self._connection], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self._name, timeout or 0)
        said = b""
        while not said.endswith(b"\n"):
            part = self._connection.recv(1)  # no more: of what has ended already both numbers are there
            if not part:
                raise RuntimeError(f"what forks commands has ended, so nobody knows what became of {self._name}")
            said += part
        return int(said)


def start_command(
    name: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    log: Path,
    out: Path | None = None,
    start_new_session: bool = False,
    cwd: Path | None = None,
    of: Server | None = None,
) -> RunningCommand:
    """The command as a process that goes on; what it prints is added to `log`, or its standard output to `out`.

    Both files are there at once. `name` may be a module of the tests with a `main`, which is forked `of` a server that
    has imported what it needs.
    """
    out = out or log
    for file in (log, out):
        file.touch()
    return _started(name, arguments, environment, cwd, out, log, start_new_session, of=of)


def _started(
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str] | None,
    cwd: Path | None,
    out: Path,
    err: Path,
    own_session: bool = False,
    stdin: Path = Path(os.devnull),
    of: Server | None = None,
) -> RunningCommand:
    request = Request(
        module=_COMMANDS.get(name, name),
        argv=[name, *arguments],
        environment=dict(environment or os.environ),
        cwd=str(cwd or Path.cwd()),
        stdin=str(stdin),
        stdout=str(out),
        stderr=str(err),
        own_session=own_session,
    )
    learns = name not in ("insert-db", "insert-station") and not set(arguments[:1]).intersection(_WITHOUT_LEARNING)
    return fork(request, name, of or (_LEARNING if learns else _SERVER))


@dataclass
class Server:
    """A process that forks others, which has imported these modules: one for all processes of the session."""

    socket: str
    modules: Sequence[str]
    kept: list[object] = field(default_factory=list)
    """A connection for as long as this process lives, and what was started for it."""


def server(name: str, *modules: str) -> Server:
    mark = os.environ.get(MARK) or uuid.uuid4().hex
    return Server(str(Path(tempfile.gettempdir()) / f"inserts-{name}-{mark}"), modules)


def fork(request: Request, name: str, server: Server) -> RunningCommand:
    """The process that was asked for."""
    if not server.kept:
        server.kept.append(_connected(server))
    connection = _connected(server)
    connection.sendall(request.line())
    return RunningCommand(name, connection)


_SERVER = server("commands", *_IMPORTED)
_LEARNING = server("learning", *_IMPORTED_TO_LEARN)


def _connected(server: Server) -> socket.socket:
    """A connection to what forks, which is started where it does not run."""
    end = time.monotonic() + 60
    started: subprocess.Popen[bytes] | None = None
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(server.socket)
            return connection
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if time.monotonic() > end:
                raise
        if started is None or started.poll() is not None:
            command = [sys.executable, command_server.__file__, server.socket, *server.modules]
            found = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}  # where the tests' modules are
            started = subprocess.Popen(command, env=found, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            server.kept.append(started)
        time.sleep(0.02)
