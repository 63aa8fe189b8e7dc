"""Runs Celery's worker, its loop in this process, and keeps the process's state by Celery's signals."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

import billiard
import billiard.util
import structlog
from celery import Celery
from celery.signals import setup_logging, worker_ready, worker_shutting_down

from producer.files.durable_files import write_file
from worker.monitoring.process_state import ProcessState
from worker.runtime.waiting import stop_waiting

log = structlog.get_logger()


STOP_WAITING: Final = signal.SIGUSR2
"""What the processes of a pool are sent when the worker was told to stop: to finish what they have in hand, and to wait
for nothing that is away."""


def exit_on_sigterm() -> None:
    """End at once on SIGTERM until Celery's loop handles it: nothing is in hand yet.

    Process 1 of a container has no handler of its own.
    """
    signal.signal(signal.SIGTERM, _exit)


def pool_processes() -> list[int]:
    """The process ids of the children of Celery's pool that live."""
    return [child.pid for child in billiard.active_children()]


class CeleryWorker:
    """Takes messages into a pool until SIGTERM or Ctrl-C."""

    def __init__(
        self,
        app: Celery,
        state: ProcessState,
        *,
        pool: Literal["prefork", "threads"],
        concurrency: int,
        hostname: str,
        ready_message: str,
        ready_fields: Mapping[str, object],
        ready_file: Path | None = None,
        receivers: Sequence[tuple[Any, Callable[..., None]]] = (),
    ):
        """Describe the worker; `run` runs it.

        Args:
            app: with its tasks registered.
            state: learns when the process is ready and when it ends.
            pool: what does the work beside Celery's loop: processes, or threads of this one.
            concurrency: how many of them.
            hostname: Celery's name for this worker.
            ready_message, ready_fields: what the log says when the first message may come.
            ready_file: written then.
            receivers: further signals of Celery's, and what they call.
        """
        self._app = app
        self._state = state
        self._pool = pool
        self._concurrency = concurrency
        self._hostname = hostname
        self._ready_message = ready_message
        self._ready_fields = ready_fields
        self._ready_file = ready_file
        self._receivers = receivers

    def run(self) -> int:
        """Take messages until told to stop; the process's exit code."""
        billiard.util.get_logger().propagate = True  # the pool's records have the form of all others
        receivers = [
            *self._receivers,
            (setup_logging, _leave_logs_alone),
            (worker_ready, self._ready),
            (worker_shutting_down, self._shut_down),
        ]
        with ExitStack() as connected:
            for event, receiver in receivers:
                event.connect(receiver, weak=False)
                connected.callback(event.disconnect, receiver)
            worker = self._app.Worker(
                # Beside Celery's loop, which must see signals and Redis whatever a task does.
                pool=self._pool,
                concurrency=self._concurrency,
                hostname=self._hostname,
                loglevel="WARNING",
                # Workers know each other through the database alone.
                without_gossip=True,
                without_mingle=True,
                without_heartbeat=True,
                quiet=True,
            )
            worker.start()
        return int(worker.exitcode or 0)

    def _ready(self, sender: Any, **_: object) -> None:
        # A timer of Celery's loop, set when the loop has been entered: this one outlives lost connections.
        sender.timer.call_repeatedly(1.0, self._state.turn)
        self._state.ready(sender)
        log.info(self._ready_message, **self._ready_fields)
        if self._ready_file is not None:
            write_file(self._ready_file, b"ready\n")

    def _shut_down(self, **_: object) -> None:
        """Called in Celery's signal handler."""
        self._state.stop()
        stop_waiting()
        for child in pool_processes():
            with suppress(ProcessLookupError):
                os.kill(child, STOP_WAITING)


def _leave_logs_alone(**_: object) -> None:
    """Logging is the entry point's: Celery sets up none where this signal has a receiver."""


def _exit(*_: object) -> NoReturn:
    sys.exit(0)
