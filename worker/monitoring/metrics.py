"""The Prometheus metrics of worker and learner: their names, counters, and how a state becomes values.

Names follow https://prometheus.io/docs/practices/naming/. Nothing here reads from Redis or the database:
`worker.monitoring.plant_metrics` does. A value that is not known is left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from db.queries.line_status import LineStatus
from producer.contract.vocabulary import Outcome

STAGES: Final = ("fetch", "arrive", "decode", "forward", "commit", "notify")
"""The stages of each capture: image read and checked, decoded and resized, the network; and those of each message: the
rows of its captures written, their verdicts committed, the answers sent."""

STAGE_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
CAPTURE_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
BATCH_CAPTURES: Final = (1, 2, 4, 8, 16, 32, 64, 128)
FAULTS: Final = ("invalid_event", "image_missing", "image_unreadable", "digest_mismatch", "crashed")
TASKS: Final = ("reextract", "extract", "retrain", "evaluate", "drift")
"""Learning's jobs, by the last part of their Celery tasks' names."""


class LineMetrics(Protocol):
    """What is counted on a capture's way; where it is counted, and how it gets to Prometheus, is another matter."""

    def stage(self, stage: str) -> AbstractContextManager[object]:
        """Time the block as this stage."""
        ...

    def group(self, captures: int) -> None:
        """Count a message of so many captures."""
        ...

    def judged(self, outcome: str, seconds: float, station: str) -> None:
        """Count a verdict that was sent to its station, so many seconds after the photograph."""
        ...

    def answered_again(self) -> None:
        """Count a capture that came again with its verdict there."""
        ...

    def wrong_clock(self, error: timedelta) -> None:
        """Count a capture whose station's clock was so far ahead, or below zero behind."""
        ...

    def fault(self, reason: str) -> None:
        """Count a capture that ended as a fault."""
        ...


class WorkerMetrics:
    """What one worker counts, in a registry of its own; safe to use from several threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        # The children are created once: looking one up by its label costs more than counting.
        captures = self._counter("captures", "Captures that came to their end here, by outcome.", "outcome")
        self._captures = {outcome: captures.labels(outcome) for outcome in (*get_args(Outcome), "fault")}
        self._faults = self._counter("faults", "Faults that were recorded here, by reason.", "reason")
        for reason in FAULTS:
            self._faults.labels(reason)
        self._told_again = self._counter("captures_told_again", "Captures that came again with their verdict there.")
        self._unusable = self._counter("station_unusable", "Photographs of a station that cannot be judged.", "station")
        clocks = self._counter("captures_wrong_clock", "Captures whose station's clock was not believed.", "clock")
        self._clocks = {side: clocks.labels(side) for side in ("ahead", "behind")}
        self.checks_incomplete = self._counter("checks_incomplete", "Checks that ended without some photograph.")
        stages = Histogram(
            "inserts_stage_seconds",
            "How long each stage took; arrive, commit and notify are those of a whole message.",
            ["stage"],
            registry=self.registry,
            buckets=STAGE_SECONDS,
        )
        self._stages = {stage: stages.labels(stage) for stage in STAGES}
        self._seconds = Histogram(
            "inserts_capture_seconds",
            "From the photograph to the verdict that its station was told, by the station's and this machine's clock.",
            registry=self.registry,
            buckets=CAPTURE_SECONDS,
        )
        self._batch = Histogram(
            "inserts_batch_captures", "Captures in one message.", registry=self.registry, buckets=BATCH_CAPTURES
        )

    def stage(self, stage: str) -> AbstractContextManager[object]:
        """Time the block as this stage."""
        return self._stages[stage].time()

    def took(self, stage: str, seconds: float) -> None:
        """Count a stage that has taken so long."""
        self._stages[stage].observe(seconds)

    def group(self, captures: int) -> None:
        """Count a message of so many captures."""
        self._batch.observe(captures)

    def judged(self, outcome: str, seconds: float, station: str) -> None:
        """Count a verdict that was sent to its station, so many seconds after the photograph."""
        self._captures[outcome].inc()
        if outcome == "unusable":
            self._unusable.labels(station).inc()
        self._seconds.observe(max(0.0, seconds))  # clocks of two machines

    def answered_again(self) -> None:
        """Count a capture that came again with its verdict there."""
        self._told_again.inc()

    def wrong_clock(self, error: timedelta) -> None:
        """Count a capture whose station's clock was so far ahead, or below zero behind."""
        self.clock_off(error.total_seconds())

    def clock_off(self, seconds: float) -> None:
        """Count a capture whose station's clock was so many seconds ahead, or below zero behind."""
        self._clocks["ahead" if seconds > 0 else "behind"].inc()

    def fault(self, reason: str) -> None:
        """Count a capture that ended as a fault."""
        self._captures["fault"].inc()
        self._faults.labels(reason).inc()

    def add(self, counts: Iterable[tuple[str, Sequence[Any]]]) -> None:
        """Count what another process has counted: methods of this class by their names, with their arguments."""
        for name, arguments in counts:
            getattr(self, name)(*arguments)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"inserts_{name}", text, labels, registry=self.registry)


class LearnMetrics:
    """What one learner counts, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._runs = Counter(
            "inserts_learn_runs", "Jobs that came to an end, by result.", ["task", "result"], registry=self.registry
        )
        self._success = Gauge(
            "inserts_learn_last_success_timestamp_seconds",
            "When a job of this kind came to its end without an error here last; 0: never since the process started.",
            ["task"],
            registry=self.registry,
        )
        self._seconds = Gauge(
            "inserts_learn_last_duration_seconds",
            "How long the last job of this kind took.",
            ["task"],
            registry=self.registry,
        )
        for task in TASKS:
            self._success.labels(task)
            for result in ("success", "failure"):
                self._runs.labels(task, result)

    def ended(self, task: str, succeeded: bool, seconds: float) -> None:
        """Count a job that has ended."""
        if task not in TASKS:
            return
        self._runs.labels(task, "success" if succeeded else "failure").inc()
        self._seconds.labels(task).set(seconds)
        if succeeded:
            self._success.labels(task).set(time.time())


@dataclass(frozen=True)
class Queue:
    """What Redis knows of captures that wait; None where it did not answer.

    `waiting` counts the captures on the inspect queue, by what the next messages carry, `unacknowledged` the
    messages of all queues that workers hold, `oldest_at` is when the photograph of the next message was taken, and
    `full` the share of the memory that Redis may take.
    """

    waiting: int | None
    unacknowledged: int | None
    oldest_at: datetime | None = None
    full: float | None = None


@dataclass(frozen=True)
class Backlog:
    """What learning has still to do: captures whose label no training has seen."""

    labels: int


def process_families(*, beaten_at: float, redis: bool, ready: bool) -> Iterator[Metric]:
    """The state of a process with a heartbeat, which was written last at `beaten_at` (seconds since the epoch)."""
    yield _gauge(
        "heartbeat_timestamp_seconds", "When the process's heart beat last; it falls silent when stuck.", beaten_at
    )
    yield _gauge("redis_connected", "Whether Celery holds its connection to Redis.", redis)
    yield _gauge("ready", "Whether the process takes messages: not while it starts, nor while it ends.", ready)


def worker_families(*, in_hand: int, champion: str | None, shadow: str | None, refused: bool) -> Iterator[Metric]:
    """What one worker has in hand, and by which models it judges."""
    yield _gauge("captures_in_hand", "Captures under way in this worker.", in_hand)
    models = GaugeMetricFamily(
        "inserts_model_info", "The models that this worker judges by; none before the first.", labels=["role", "model"]
    )
    models.add_metric(["champion", champion or "none"], 1)
    if shadow is not None:
        models.add_metric(["shadow", shadow], 1)
    yield models
    yield _gauge(
        "model_refused", "Whether this worker refused the promoted model and judges by the one before.", refused
    )


def learn_families(*, job: tuple[str, float] | None) -> Iterator[Metric]:
    """Which job a learner is at, and for how many seconds."""
    running = GaugeMetricFamily(
        "inserts_learn_running_seconds", "For how long a job has been running.", labels=["task"]
    )
    for task in TASKS:
        running.add_metric([task], job[1] if job is not None and job[0] == task else 0.0)
    yield running


def queue_families(queue: Queue | None, now: datetime) -> Iterator[Metric]:
    """What waits in Redis at `now`; without an answer from it, that it is not up."""
    yield _gauge("redis_up", "Whether Redis answered when it was asked for these metrics.", queue is not None)
    waiting = queue.waiting if queue else None
    yield _gauge("queue_captures", "Captures on the inspect queue that no worker has taken.", waiting)
    in_hand = queue.unacknowledged if queue else None
    yield _gauge("unacknowledged_messages", "Messages that some worker has taken and not finished.", in_hand)
    age = None
    if queue is not None and queue.waiting is not None:
        age = 0.0 if queue.waiting == 0 else _age(queue.oldest_at, now)
    full = queue.full if queue else None
    yield _gauge("redis_memory_ratio", "Share of the memory that Redis may take; from 0.9 on it counts as full.", full)
    yield _gauge("queue_oldest_age_seconds", "Since the photograph of the queue's next capture; 0: none waits.", age)


def line_status_families(status: LineStatus | None, now: datetime) -> Iterator[Metric]:
    """The line's status at `now` by the database; without an answer from it, that it is not up."""
    yield _gauge(
        "database_up", "Whether the database answered when it was asked for these metrics.", status is not None
    )
    age = None if status is None else _age(status.oldest_waiting, now) or 0.0
    ratio = None if status is None else status.unsure
    yield _gauge(
        "recorded_oldest_age_seconds",
        "Since the photograph of the oldest recorded capture without verdict or fault; 0: none.",
        age,
    )
    yield _gauge("unsure_ratio", "Share of unsure verdicts among the newest thousand captures of the line.", ratio)
    faults = GaugeMetricFamily("inserts_open_faults", "Faults that wait for a person, by reason.", labels=["reason"])
    runs = GaugeMetricFamily("inserts_station_unusable_captures", "Its newest ones, in a row.", labels=["station"])
    drifts = GaugeMetricFamily("inserts_station_drift_seconds", "For how long it drifts.", labels=["station"])
    champion = GaugeMetricFamily(
        "inserts_champion_info", "The model in charge, by the database.", labels=["model", "backbone"]
    )
    if status is not None:
        for reason in sorted({*FAULTS, *status.open_faults}):
            faults.add_metric([reason], status.open_faults.get(reason, 0))
        for family, values in ((runs, status.unusable_runs), (drifts, status.drift_seconds)):
            for station, value in sorted(values.items()):
                family.add_metric([station], value)
        if status.champion is not None:
            champion.add_metric([status.champion.model_id, status.champion.backbone], 1)
    yield from (faults, runs, drifts, champion)


def backlog_families(backlog: Backlog | None) -> Iterator[Metric]:
    """Learning's backlog by the database; without an answer from it, that it is not up."""
    yield _gauge(
        "database_up", "Whether the database answered when it was asked for these metrics.", backlog is not None
    )
    labels = backlog.labels if backlog else None
    yield _gauge("learn_waiting_labels", "Captures with a label that the last training did not see.", labels)


def _age(moment: datetime | None, now: datetime) -> float | None:
    """Seconds since a moment; no less than 0, since it is by another machine's clock."""
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def _gauge(name: str, text: str, value: float | None) -> GaugeMetricFamily:
    """A gauge without labels; one without a value has no sample."""
    family = GaugeMetricFamily(f"inserts_{name}", text, labels=[])
    if value is not None:
        family.add_metric([], float(value))
    return family
