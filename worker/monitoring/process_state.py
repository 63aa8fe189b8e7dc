"""The state of a running process: its threads keep it up to date, the heartbeat and the watchdog read it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Protocol

from worker.monitoring.heartbeat import LifeSign, Phase


class Consumer(Protocol):
    """Celery's consumer, as far as it is needed here."""

    @property
    def connection(self) -> object | None:
        """Its connection to Redis: dropped the moment it is lost, and None until there is another."""
        ...


class ProcessState(ABC):
    """Counters and clocks of one process; times are of `time.monotonic`, in seconds.

    `ready` takes what Celery's signals pass to their receivers.
    """

    def __init__(self) -> None:
        self.phase: Phase = "starting"
        self.stopping_since: float | None = None
        self.loop_turned_at: float | None = None
        """When Celery's loop turned last."""
        self.finished = 0
        self.finished_at: float | None = None
        self._consumer: Consumer | None = None

    @property
    @abstractmethod
    def in_hand(self) -> int:
        """What is under way."""

    @abstractmethod
    def heartbeat(self) -> LifeSign:
        """All of it at this moment, as `worker.monitoring.heartbeat` writes it."""

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
