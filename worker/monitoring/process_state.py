"""What a running worker knows of itself: written by its threads, read by its heart and its watchdog."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from producer.terminal.output import visible
from worker.monitoring.heartbeat import Heartbeat, LifeSign, State, span


class Vitals:
    """Counters and clocks of one worker process; times are of `time.monotonic`, in seconds."""

    def __init__(self, backbone: str):
        self.backbone = backbone
        self.state: State = "starting"
        self.stopping_since: float | None = None
        self.is_connected: Callable[[], bool] = lambda: False
        """Whether Celery holds a connection to Redis."""
        self.forward_since: Callable[[], float | None] = lambda: None
        """When the forward pass that is running began."""
        self.loop_turned_at: float | None = None
        """When Celery's loop turned last."""
        self.finished = 0
        self.finished_at: float | None = None
        self.in_hand = 0
        self._lock = threading.Lock()

    def begin(self, **_: object) -> None:
        """A message is in hand."""
        with self._lock:
            self.in_hand += 1

    def end(self, state: str | None = None, **_: object) -> None:
        """A message is out of hand again; with the state `SUCCESS` its capture has its verdict or its fault."""
        with self._lock:
            self.in_hand -= 1
            if state == "SUCCESS":
                self.finished += 1
                self.finished_at = time.monotonic()

    def turn(self) -> None:
        """Celery's loop has turned."""
        self.loop_turned_at = time.monotonic()

    def ready(self) -> None:
        """The first message may come."""
        self.turn()
        if self.state == "starting":
            self.state = "ready"

    def stop(self) -> None:
        """The worker was told to end. Called in a signal handler, so it takes no lock and writes no log."""
        if self.stopping_since is None:
            self.stopping_since = time.monotonic()
        self.state = "stopping"

    def loop_still_for(self) -> float:
        """Seconds for which Celery's loop has not turned though it should: it has Redis and is not ending."""
        if self.state != "ready" or self.loop_turned_at is None or not self.is_connected():
            return 0.0
        return time.monotonic() - self.loop_turned_at

    def heartbeat(self) -> LifeSign:
        """All of it at this moment, for `worker.heartbeat`."""
        now = time.monotonic()
        return Heartbeat(
            state=self.state,
            backbone=visible(self.backbone),  # as it was set, before anybody has looked at it
            redis=self.is_connected(),
            finished=self.finished,
            last_finished_seconds=span(self.finished_at, now),
            in_hand=self.in_hand,
            forward_seconds=span(self.forward_since(), now),
        )
