"""Runs Celery's worker in this process, and keeps the process's state by Celery's signals."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import structlog
from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_ready, worker_shutting_down

from worker.monitoring.process_state import ProcessState
from worker.runtime.waiting import stop_waiting

log = structlog.get_logger()


def exit_on_sigterm() -> None:
    """End at once on SIGTERM until Celery's loop handles it: nothing is in hand yet.

    Process 1 of a container has no handler of its own.
    """
    signal.signal(signal.SIGTERM, _exit)


class CeleryWorker:
    """Takes messages into a pool of threads until SIGTERM or Ctrl-C."""

    def __init__(
        self,
        app: Celery,
        state: ProcessState,
        *,
        threads: int,
        hostname: str,
        ready_message: str,
        ready_file: Path | None = None,
    ):
        """Describe the worker; `run` runs it.

        Args:
            app: with its tasks registered.
            state: learns of every message, and when the process is ready and when it ends.
            threads: messages in hand at once.
            hostname: Celery's name for this worker.
            ready_message: what the log says when the first message may come.
            ready_file: written then.
        """
        self._app = app
        self._state = state
        self._threads = threads
        self._hostname = hostname
        self._ready_message = ready_message
        self._ready_file = ready_file

    def run(self) -> int:
        """Take messages until told to stop; the process's exit code."""
        worker = self._app.Worker(
            # Threads beside Celery's loop, which must see signals and Redis whatever a task does.
            pool="threads",
            concurrency=self._threads,
            hostname=self._hostname,
            loglevel="WARNING",
            # Workers know each other through the database alone.
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
        receivers: list[tuple[Any, Callable[..., None]]] = [
            (task_prerun, self._state.begin),
            (task_postrun, self._state.end),
            (worker_ready, self._ready),
            (worker_shutting_down, self._shut_down),
        ]
        with ExitStack() as connected:
            for event, receiver in receivers:
                event.connect(receiver, weak=False)
                connected.callback(event.disconnect, receiver)
            worker.start()
        return int(worker.exitcode or 0)

    def _ready(self, sender: Any, **_: object) -> None:
        # A timer of Celery's loop, set when the loop has been entered: this one outlives lost connections.
        sender.timer.call_repeatedly(1.0, self._state.turn)
        self._state.ready(sender)
        log.info(self._ready_message, backbone=self._state.backbone)
        if self._ready_file is not None:
            self._ready_file.write_text("ready\n", encoding="utf-8")

    def _shut_down(self, **_: object) -> None:
        """Called in Celery's signal handler."""
        self._state.stop()
        stop_waiting()


def _exit(*_: object) -> NoReturn:
    sys.exit(0)
