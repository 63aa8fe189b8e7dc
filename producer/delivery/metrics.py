"""A station's metrics: their names, what they count, and what is read from the outbox when Prometheus asks.

Names follow https://prometheus.io/docs/practices/naming/; all carry the label `station`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, get_args
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.vocabulary import CheckState, Outcome
from producer.delivery.outbox import Outbox

log = structlog.get_logger()

ANSWER_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""The buckets of the time from photograph to answer: a line waits seconds, an outage lasts minutes."""

ANSWERS: Final = (*get_args(Outcome), "fault")


class StationMetrics:
    """What one station counts, in a registry of its own; safe to use from several threads."""

    def __init__(self, station: str):
        self.station = station
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.submitted = self._counter("submitted", "Captures that were handed in and are kept.")
        self.refused = self._counter("refused", "Captures that were refused because the outbox is full.")
        self.sent = self._counter("sent", "Captures that left the station for the first time.")
        self.resent = self._counter("resent", "Captures that were sent again because no answer had come.")
        self.confirmed = self._counter("confirmed", "Captures whose answer has come and which left the outbox.")
        answers = self._counter("answers", "Answers about captures by what they say.", "outcome")
        checks = self._counter("checks", "Finished checks by what they came to.", "state")
        self._answers = {outcome: answers.labels(station, outcome) for outcome in ANSWERS}
        self._checks = {state: checks.labels(station, state) for state in get_args(CheckState)}
        self._seconds = Histogram(
            "inserts_station_answer_seconds",
            "From the making of a capture's id, just before it is handed in, to its answer at the station.",
            ["station"],
            registry=self.registry,
            buckets=ANSWER_SECONDS,
        ).labels(station)
        self.redis_up = Gauge(
            "inserts_station_redis_up",
            "Whether the station's last call to Redis came through.",
            ["station"],
            registry=self.registry,
        ).labels(station)

    def watch(self, outbox: Outbox) -> None:
        """Read the state of `outbox` whenever the metrics are asked for."""
        self.registry.register(_OutboxCollector(self.station, outbox))

    def answered(self, answer: VerdictAnswer | FaultAnswer | CheckAnswer) -> None:
        """Count an answer as it reaches the station."""
        if isinstance(answer, CheckAnswer):
            self._checks[answer.state].inc()
            return
        self._answers["fault" if isinstance(answer, FaultAnswer) else answer.outcome].inc()
        if answer.capture_id is not None:
            self._seconds.observe(max(0.0, time.time() - made_at(answer.capture_id)))

    def _counter(self, name: str, text: str, label: str | None = None) -> Counter:
        counter = Counter(
            f"inserts_station_{name}", text, ["station", *([label] if label else [])], registry=self.registry
        )
        return counter if label else counter.labels(self.station)


@dataclass(frozen=True)
class OutboxState:
    """How many captures wait, how many may, and since when the oldest does (seconds since the epoch)."""

    waiting: int
    limit: int
    oldest_at: float | None


def outbox_families(station: str, state: OutboxState | None, now: float) -> Iterator[Metric]:
    """The outbox's state at `now` as metrics; one that cannot be read (None) has no values, and is not up."""
    texts = {
        "up": "Whether the outbox can be read.",
        "captures": "Captures in the outbox: not sent, or not answered.",
        "limit_captures": "Captures that may wait in the outbox; then new ones are refused.",
        "oldest_age_seconds": "How long the oldest capture in the outbox has waited; 0 where none does.",
    }
    values: dict[str, float] = {"up": 0.0}
    if state is not None:
        oldest = 0.0 if state.oldest_at is None else max(0.0, now - state.oldest_at)
        values = {"up": 1.0, "captures": state.waiting, "limit_captures": state.limit, "oldest_age_seconds": oldest}
    for name, text in texts.items():
        family = GaugeMetricFamily(f"inserts_station_outbox_{name}", text, labels=["station"])
        if name in values:
            family.add_metric([station], values[name])
        yield family


def made_at(capture_id: UUID) -> float:
    """When a UUIDv7 was made, in seconds since the epoch (RFC 9562: its first 48 bits are milliseconds)."""
    return (capture_id.int >> 80) / 1000


class _OutboxCollector(Collector):
    def __init__(self, station: str, outbox: Outbox):
        self._station = station
        self._outbox = outbox

    def collect(self) -> Iterable[Metric]:
        state = None
        try:
            state = OutboxState(len(self._outbox), self._outbox.limit, self._outbox.oldest_at())
        except sqlite3.Error as error:
            log.warning("the outbox cannot be read for the metrics", problem=str(error))
        return outbox_families(self._station, state, time.time())
