"""The state of a running process: its threads keep it up to date, the heartbeat and the watchdog read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from producer.terminal.output import visible
from worker.monitoring.heartbeat import Heartbeat, LifeSign, Phase, span


class Consumer(Protocol):
    """Celery's consumer, as far as it is needed here."""

    @property
    def connection(self) -> object | None:
        """Its connection to Redis: dropped the moment it is lost, and None until there is another."""
        ...


class ProcessState:
    """Counters and clocks of one process; times are of `time.monotonic`, in seconds.

    `begin`, `end` and `ready` take what Celery's signals pass to their receivers.
    """

    def __init__(self, backbone: str):
        self.backbone = backbone
        self.phase: Phase = "starting"
        self.stopping_since: float | None = None
        self.forward_since: float | None = None
        """When the forward pass that is running began; None while none runs."""
        self.loop_turned_at: float | None = None
        """When Celery's loop turned last."""
        self.finished = 0
        self.finished_at: float | None = None
        self.in_hand = 0
        self._consumer: Consumer | None = None
        self._lock = threading.Lock()

    def begin(self, **_: object) -> None:
        """A message is in hand."""
        with self._lock:
            self.in_hand += 1

    def end(self, state: str | None = None, **_: object) -> None:
        """A message is out of hand again; with Celery's state `SUCCESS` its capture has its verdict or its fault."""
        with self._lock:
            self.in_hand -= 1
            if state == "SUCCESS":
                self.finished += 1
                self.finished_at = time.monotonic()

    @contextmanager
    def forward_pass(self) -> Iterator[None]:
        """A forward pass runs within the block; one at a time."""
        self.forward_since = time.monotonic()
        try:
            yield
        finally:
            self.forward_since = None

    def turn(self) -> None:
        """Celery's loop has turned."""
        self.loop_turned_at = time.monotonic()

    def ready(self, sender: Consumer, **_: object) -> None:
        """The first message may come; `sender` takes it."""
        self._consumer = sender
        self.turn()
        if self.phase == "starting":
            self.phase = "ready"

    def stop(self) -> None:
        """The process was told to end. Called in a signal handler, so it takes no lock and writes no log."""
        if self.stopping_since is None:
            self.stopping_since = time.monotonic()
        self.phase = "stopping"

    def is_connected(self) -> bool:
        """Whether Celery holds a connection to Redis."""
        return self._consumer is not None and self._consumer.connection is not None

    def loop_still_for(self) -> float:
        """Seconds for which Celery's loop has not turned though it should: it has Redis and is not ending."""
        if self.phase != "ready" or self.loop_turned_at is None or not self.is_connected():
            return 0.0
        return time.monotonic() - self.loop_turned_at

    def heartbeat(self) -> LifeSign:
        """All of it at this moment, as `worker.monitoring.heartbeat` writes it."""
        now = time.monotonic()
        return Heartbeat(
            state=self.phase,
            backbone=visible(self.backbone),  # as it was set, before anything has checked it
            redis=self.is_connected(),
            finished=self.finished,
            last_finished_seconds=span(self.finished_at, now),
            in_hand=self.in_hand,
            forward_seconds=span(self.forward_since, now),
        )
