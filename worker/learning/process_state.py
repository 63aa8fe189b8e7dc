"""The states of the learning processes, for their heartbeats."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from producer.terminal.output import visible
from worker.monitoring.heartbeat import LearnHeartbeat, LifeSign, SchedulerHeartbeat, span
from worker.monitoring.metrics import LearnMetrics
from worker.monitoring.process_state import ProcessState

if TYPE_CHECKING:
    from worker.learning.beat_schedule import FileScheduler

TICK_LIMIT: Final = 750.0
"""Seconds that a tick may take while beat does not wait for Redis: it sends five jobs in one tick, and each may take
four attempts of 30 s while Redis hangs."""


class LearnerState(ProcessState):
    """Counters and clocks of a process that learns, which does one job at a time."""

    def __init__(self, backbone: str, metrics: LearnMetrics):
        """`metrics` counts every job that has come to its end."""
        super().__init__()
        self.backbone = backbone
        self._metrics = metrics
        self.job: tuple[str, float] | None = None
        """The job that is running, and when it began, in seconds of `time.monotonic`."""

    @property
    def in_hand(self) -> int:
        """The jobs under way: one or none."""
        return 0 if self.job is None else 1

    def begin(self, task: Any = None, **_: object) -> None:
        """Record that a job begins: a Celery task `insert_inspection.NAME`."""
        self.job = job_of(task), time.monotonic()

    def end(self, state: str | None = None, **_: object) -> None:
        """Record that the job has ended, with Celery's `state`."""
        job, self.job = self.job, None
        succeeded = state == "SUCCESS"
        if succeeded:
            self.finished += 1
            self.finished_at = time.monotonic()
        if job is not None:
            self._metrics.ended(job[0], succeeded, time.monotonic() - job[1])

    def running(self) -> tuple[str, float] | None:
        """Return the job that is running, and for how many seconds."""
        job = self.job
        return None if job is None else (job[0], time.monotonic() - job[1])

    def heartbeat(self) -> LifeSign:
        """Return all of it at this moment."""
        running = self.running()
        return LearnHeartbeat(
            state=self.phase,
            backbone=visible(self.backbone),  # as it was set, before anything has checked it
            redis=self.is_connected(),
            finished=self.finished,
            last_finished_seconds=span(self.finished_at, time.monotonic()),
            job=running[0] if running else None,
            job_seconds=round(running[1], 3) if running else None,
        )


class BeatState:
    """The state of a beat: what its scheduler counts, once there is one."""

    def __init__(self) -> None:
        self._scheduler: FileScheduler | None = None

    def ready(self, sender: Any, **_: object) -> None:
        """Record that Celery's beat has begun; `sender` is its service."""
        self._scheduler = sender.scheduler

    def loop_still_for(self) -> float:
        """Return the seconds for which no tick came although Redis is there."""
        scheduler = self._scheduler
        if scheduler is None or scheduler.ticked_at is None or scheduler.waits_for_redis:
            return 0.0
        return time.monotonic() - scheduler.ticked_at

    def heartbeat(self) -> LifeSign:
        """Return all of it at this moment."""
        scheduler = self._scheduler
        return SchedulerHeartbeat(
            waits_for_redis=scheduler.waits_for_redis if scheduler else False,
            ticks=scheduler.ticks if scheduler else 0,
            last_tick_seconds=span(scheduler.ticked_at, time.monotonic()) if scheduler else None,
        )


def job_of(task: Any) -> str:
    """Return the name of a Celery task without this project's prefix."""
    return str(getattr(task, "name", task)).rpartition(".")[2]
