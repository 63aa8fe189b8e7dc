"""Runs a command as a process of its own, forked from one that has imported what commands need.

To import SQLAlchemy, scikit-learn and TensorFlow takes longer than what most commands do. Where a test asks what a
command does, and not how it starts, it runs it here: with its own arguments, environment, streams and exit code, as a
shell would.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
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


def start_command(
    name: str, *arguments: str, environment: Mapping[str, str] | None = None, log: Path
) -> ForkServerProcess:
    """The command as a process that goes on; what it prints is added to `log`, which is there at once."""
    log.touch()
    return _started(name, arguments, environment, None, log, log)


def _started(
    name: str, arguments: Sequence[str], environment: Mapping[str, str] | None, cwd: Path | None, out: Path, err: Path
) -> ForkServerProcess:
    options = (_COMMANDS[name], [name, *arguments], dict(environment or os.environ), str(cwd or Path.cwd()), out, err)
    process = _FORKS.Process(target=_run, args=options)
    process.start()
    return process


def _run(module: str, argv: list[str], environment: dict[str, str], cwd: str, out: Path, err: Path) -> None:
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
