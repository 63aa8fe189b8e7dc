"""Runs a command as a process of its own, forked from one that has imported what commands need.

To import SQLAlchemy, scikit-learn and TensorFlow takes longer than what most commands do. Where a test asks what a
command does, and not how it starts, it runs it here: with its own arguments, environment, streams and exit code, as a
shell would. It is killed, stopped and asked for its exit code as any process.
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_COMMANDS = {
    "insert-db": "db.commands.main",
    "insert-station": "producer.commands.main",
    "insert-worker": "worker.commands.main",
}
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *_COMMANDS.values(),
        "psycopg",
        "db.console.serving",
        "db.engine.database",
        "db.engine.migrate",
        "producer.station.station",
        "worker.settings",
        "worker.line.serve",
        "celery.bin.worker",
        "celery.concurrency.prefork",
        "worker.learning.on_request",
        "tensorflow",
        "keras",
    ]
)


def run_command(
    name: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """What the command prints and ends with; `environment` is all of it, this process's own when absent.

    Raises:
        subprocess.TimeoutExpired: it has not ended by then, and was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "out", Path(folder) / "err"
        process = _started(name, arguments, environment, cwd, *said)
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired([name, *arguments], timeout)
        out, err = (each.read_text("utf-8") for each in said)
        return subprocess.CompletedProcess([name, *arguments], process.exitcode, out, err)


class RunningCommand:
    """A command as a process that goes on, with what `subprocess.Popen` has for it."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code.

        Raises:
            subprocess.TimeoutExpired: it has not ended by then.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Nothing where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start_command(
    name: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    log: Path,
    out: Path | None = None,
    start_new_session: bool = False,
) -> RunningCommand:
    """The command as a process that goes on; what it prints is added to `log`, or its standard output to `out`.

    Both files are there at once.
    """
    out = out or log
    for file in (log, out):
        file.touch()
    return RunningCommand(_started(name, arguments, environment, None, out, log, start_new_session))


def _started(
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str] | None,
    cwd: Path | None,
    out: Path,
    err: Path,
    start_new_session: bool = False,
) -> ForkServerProcess:
    environment = dict(environment or os.environ)
    options = (_COMMANDS[name], [name, *arguments], environment, str(cwd or Path.cwd()), out, err, start_new_session)
    process = _FORKS.Process(target=_run, args=options)
    process.start()
    return process


def _run(
    module: str, argv: list[str], environment: dict[str, str], cwd: str, out: Path, err: Path, own_session: bool
) -> None:
    gc.freeze()  # what was imported before the fork is no garbage; to look through it copies hundreds of megabytes
    if own_session:
        os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = argv
    for descriptor, path in ((1, out), (2, err)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), descriptor)
    try:
        import_module(module).main()
    finally:
        atexit._run_exitfuncs()
