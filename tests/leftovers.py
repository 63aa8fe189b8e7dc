"""Ends what a session of tests has left behind, however the session ended: servers, consoles, workers, browsers.

A fixture stops what it started, unless its process is killed (`kill -9`, or by a machine without memory). So a process
of its own waits for the end of the session and then kills what carries the session's mark in its environment, which
every process has from the one that started it. Where there is no `/proc`, it does nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

MARK = "SESSION_OF_TESTS"


def end_with_this_session() -> None:
    """Begin to watch over this session; its workers, which have its mark already, are of it."""
    if MARK in os.environ:
        return
    os.environ[MARK] = uuid.uuid4().hex
    _watchers.append(
        subprocess.Popen(
            [sys.executable, "-S", __file__, os.environ[MARK]],
            stdin=subprocess.PIPE,  # the kernel closes it when this process ends
            start_new_session=True,
            env=without_mark(os.environ),
        )
    )


def without_mark(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for what ends by itself after the session."""
    return {name: value for name, value in environment.items() if name != MARK}


_watchers: list[subprocess.Popen[bytes]] = []
"""Kept, so that the pipe stays open."""


def _marked(mark: str) -> list[int]:
    marked = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                marked.append(int(folder.name))
    return marked


def _wait_and_kill(mark: str) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # those are for the tests; this ends after them
        signal.signal(each, signal.SIG_IGN)
    sys.stdin.read()
    end = time.monotonic() + 10
    while (left := _marked(mark)) and time.monotonic() < end:  # again: one that was just starting is found then
        for process in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


if __name__ == "__main__":
    _wait_and_kill(sys.argv[1])
