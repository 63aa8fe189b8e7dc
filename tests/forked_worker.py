"""Starts xdist's workers as forks of one process that has imported the tests and what many of them need.

`python -m tests.forked_worker -u -c LINE` is to execnet what `python -u -c LINE` is: the line runs in a new process,
which reads and writes these streams. To import TensorFlow, SQLAlchemy and FastAPI, and then the tests, is nine tenths
of what a worker needs to collect them. Where not all tests run, pytest's arguments are before `-u`: only what these
tests import is imported then.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.command_server import Request
from tests.forked_commands import fork, server

NEEDED = ("tests.environment", "tests.forked_worker")
OF_ALL_TESTS = (
    "worker.backbones.keras_families",
    "worker.learning.on_request",
    "worker.line.serve",
    "db.console.serving",
    "db.engine.migrate",
    "db.commands.main",
    "producer.commands.main",
    "asyncua",
    "moto.server",
    "s3fs",
    "selenium.webdriver",
)
COLLECT = "tests.forked_worker:collect"

ARGUMENTS = "TESTS_FORKED_WORKER_ARGUMENTS"
"""The environment's variable that tells the forking process what to collect."""


def collect() -> None:
    """Import the tests as pytest does. The workers collect them anew, and find their modules there.

    Where one of them cannot be imported, none is kept: a half of it would be taken for the whole.
    """
    arguments = ["--collect-only", "-qq", "-p", "no:xdist", "-p", "no:cacheprovider"]
    if pytest.main([*arguments, *json.loads(os.environ[ARGUMENTS])]) != pytest.ExitCode.OK:
        for name in [name for name in sys.modules if name.startswith("tests.")]:
            del sys.modules[name]


def main() -> None:
    """Be what execnet has asked for, in the process that was forked."""
    sys.modules["__main__"] = ModuleType("__main__")
    exec(sys.argv[-1], vars(sys.modules["__main__"]))  # noqa: S102 - as `python -c` does


def _as_this_process() -> Request:
    streams = [f"/proc/{os.getpid()}/fd/{number}" for number in range(3)]
    try:
        os.close(os.open(streams[2], os.O_WRONLY))
    except OSError:  # a socket, or another user's terminal
        streams[2] = os.devnull
    return Request("tests.forked_worker", sys.argv, dict(os.environ), str(Path.cwd()), *streams, own_session=False)


if __name__ == "__main__":
    request = _as_this_process()
    of_a_part = sys.argv[1 : sys.argv.index("-u")]
    os.environ["PYTHONPATH"] = str(Path.cwd())  # where the forking process finds this module
    os.environ[ARGUMENTS] = json.dumps(of_a_part)
    modules = (*NEEDED, *(() if of_a_part else OF_ALL_TESTS), COLLECT)
    sys.exit(fork(request, "worker", server("workers", *modules)).wait())
