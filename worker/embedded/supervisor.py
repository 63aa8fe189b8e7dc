"""A supervisor: restarts child processes that die, and ends all of them with itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from producer.runtime.backoff import Backoff

log = structlog.get_logger()

GRACE: Final = 20.0
"""Seconds that a child has between being asked to end and being killed."""

LONGEST_PAUSE: Final = 30.0
"""The longest time, in seconds, before a child that keeps dying is started again."""

STEADY_AFTER: Final = 60.0
"""Seconds of running after which a child's earlier deaths are forgotten."""


class ChildProcess:
    """One child process with its log file; it dies with this process, also when that one is killed."""

    def __init__(self, name: str, command: Sequence[str], log_file: Path, environment: dict[str, str] | None = None):
        """Describe the child; `start` starts it."""
        self.name = name
        self._command = command
        self._log_file = log_file
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = time.monotonic()
        self._backoff = Backoff(0.5, LONGEST_PAUSE)

    @property
    def pid(self) -> int | None:
        """The process's number, None before the start."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches it through us alone."""
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker.embedded.die_with_parent", *self._command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                start_new_session=True,
            )
        self._started_at = time.monotonic()

    def exit_code(self) -> int | None:
        """The code that the process ended with, None while it runs."""
        return self._process.poll() if self._process else None

    def pause_before_restart(self) -> float:
        """Seconds to wait before the next start, longer for a child that dies again and again."""
        if time.monotonic() - self._started_at > STEADY_AFTER:
            self._backoff.reset()
        return self._backoff.next()

    def stop(self) -> None:
        """Ask the process to end, and kill it with all of its own children after the grace time."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:
                log.warning("did not end in time and was killed", child=self.name, grace=GRACE)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def last_words(self, lines: int = 15) -> str:
        """The end of the child's log, for an error message."""
        if not self._log_file.exists():
            return ""
        text = self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(text[-lines:])


class Supervisor:
    """Children in the order that they need each other; stopped in the opposite order."""

    def __init__(self) -> None:
        self._children: list[ChildProcess] = []
        self._restart_at: dict[ChildProcess, float] = {}

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._children):
            child.stop()

    def add(self, child: ChildProcess) -> None:
        """Start a child and keep it running from now on."""
        self._children.append(child)
        child.start()

    def restart_dead(self) -> None:
        """Restart the children that have died and whose pause is over; call this several times a second."""
        for child in self._children:
            code = child.exit_code()
            if code is None:
                continue
            if child not in self._restart_at:
                pause = child.pause_before_restart()
                self._restart_at[child] = time.monotonic() + pause
                last_words = child.last_words(1)
                log.warning(
                    "a child died and is started again", child=child.name, exit_code=code, pause=pause, said=last_words
                )
            if time.monotonic() >= self._restart_at[child]:
                del self._restart_at[child]
                child.start()

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Keep the children running until told to stop."""
        while not should_stop():
            self.restart_dead()
            time.sleep(0.2)


class StopSignal:
    """Notes within its block whether SIGTERM or Ctrl-C has come, rather than ending the process."""

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> StopSignal:
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, *_: object) -> None:
        self.came = True
