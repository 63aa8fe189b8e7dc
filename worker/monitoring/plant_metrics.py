"""What Redis and the database have to say when Prometheus asks: read seldom, waited for briefly, missed without harm.

Every worker answers for the whole plant, so that any one of them will do. The line never waits for a question here: it
is asked from a thread of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

import redis
import structlog
from kombu.transport.redis import Channel
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from db.engine.database import Database
from db.learning import reviews, snapshots
from db.line.capture_order import claimed
from db.queries import line_status
from db.queries.line_status import LineStatus
from producer.contract.event import INSPECT_QUEUE
from producer.delivery.redis_connection import connect
from worker.broker.sanitising import captured_at
from worker.monitoring.heartbeat import Heart
from worker.monitoring.metrics import (
    Backlog,
    Queue,
    backlog_families,
    process_families,
    queue_families,
    standing_families,
)
from worker.monitoring.process_state import Vitals

log = structlog.get_logger()

KEEP: Final = 5.0
"""Seconds for which an answer is good: two Prometheuses and a curious person cost no more than one."""

PATIENCE: Final = 2.0
"""Seconds that a scrape waits for an answer; Prometheus's own patience is 10 s."""

T = TypeVar("T")


class Glance(Generic[T]):
    """The newest answer to one question: asked by one thread at a time, None where it failed or does not come."""

    def __init__(self, ask: Callable[[], T], what: str, *, keep: float = KEEP, patience: float = PATIENCE):
        """`ask` may raise anything, and may hang; `what` names it in the log."""
        self._ask = ask
        self._what = what
        self._keep = keep
        self._patience = patience
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._answer: T | None = None
        self._answered_at = float("-inf")
        self._failing = False

    def __call__(self) -> T | None:
        """The answer, asked for anew where the last one is too old."""
        with self._lock:
            if time.monotonic() - self._answered_at < self._keep:
                return self._answer
            if self._asking is None or not self._asking.is_alive():
                self._asking = threading.Thread(target=self._run, name=f"metrics-{self._what}", daemon=True)
                self._asking.start()
            asking = self._asking
        asking.join(self._patience)
        with self._lock:
            return self._answer if time.monotonic() - self._answered_at < self._keep else None

    def _run(self) -> None:
        answer, problem = None, None
        try:
            answer = self._ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, the metrics do without
            problem = f"{type(error).__name__}: {error}"
        if problem is not None and not self._failing:
            log.warning("not to be had for the metrics", what=self._what, problem=problem)
        self._failing = problem is not None
        with self._lock:
            self._answer, self._answered_at = answer, time.monotonic()


class Families(Collector):
    """Puts what a function yields into a registry, anew at every scrape."""

    def __init__(self, collect: Callable[[], Iterator[Metric]]):
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        """The metrics of this moment."""
        return self._collect()


def watch_line(registry: CollectorRegistry, database: Database, redis_url: str) -> None:
    """Have `registry` tell how queue and database stand."""
    queue, standing = queue_glance(redis_url), standing_glance(database)
    registry.register(Families(lambda: queue_families(queue(), datetime.now(UTC))))
    registry.register(Families(lambda: standing_families(standing(), datetime.now(UTC))))


def watch_learning(registry: CollectorRegistry, database: Database) -> None:
    """Have `registry` tell what learning has still to do."""
    backlog = backlog_glance(database)
    registry.register(Families(lambda: backlog_families(backlog())))


def watch_process(registry: CollectorRegistry, heart: Heart, vitals: Vitals) -> None:
    """Have `registry` tell how this process is."""

    def families() -> Iterator[Metric]:
        return process_families(beaten_at=heart.beaten_at, redis=vitals.is_connected(), ready=vitals.state == "ready")

    registry.register(Families(families))


def queue_glance(redis_url: str) -> Glance[Queue]:
    """What waits on the inspect queue, over a connection to Redis of its own."""
    client = connect(redis_url, timeout=PATIENCE)
    return Glance(lambda: read_queue(client), "redis")


def read_queue(client: redis.Redis) -> Queue:
    """Count the messages on the inspect queue and in workers' hands; what this user may not count is not known.

    Raises:
        redis.RedisError: Redis is away.
    """
    pipe = client.pipeline(transaction=False)
    names = queue_lists(INSPECT_QUEUE)
    pipe.info("memory")
    pipe.hlen("unacked")
    for name in names:
        pipe.llen(name)
    for name in names:
        pipe.lindex(name, -1)  # the end that workers take from
    memory, unacknowledged, *replies = (
        None if isinstance(reply, redis.ResponseError) else reply for reply in pipe.execute(raise_on_error=False)
    )
    counts, heads = replies[: len(names)], replies[len(names) :]
    now = datetime.now(UTC)
    taken = [claimed(moment, now) for head in heads if head is not None and (moment := captured_at(head)) is not None]
    return Queue(
        waiting=None if None in counts else sum(count or 0 for count in counts),
        unacknowledged=unacknowledged,
        oldest_at=min(taken, default=None),
        full=memory["used_memory"] / memory["maxmemory"] if memory and memory["maxmemory"] else None,
    )


def queue_lists(queue: str) -> list[str]:
    """The Redis lists of a queue: one for each of kombu's priorities, named QUEUE, separator, PRIORITY."""
    steps: Any = Channel.priority_steps
    return [f"{queue}{Channel.sep}{step}" if step else queue for step in steps]


def standing_glance(database: Database) -> Glance[LineStatus]:
    """How the line stands."""

    def ask() -> LineStatus:
        with database.reading() as session:
            return line_status.current(session, datetime.now(UTC))

    return Glance(ask, "database")


def backlog_glance(database: Database) -> Glance[Backlog]:
    """What learning has still to do."""

    def ask() -> Backlog:
        with database.reading() as session:
            latest = snapshots.latest(session)
            return Backlog(reviews.newer_than(session, latest.snapshot_id if latest else None))

    return Glance(ask, "database", keep=60.0)
