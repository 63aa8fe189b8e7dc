"""The plant's metrics, by Redis and the database: cached, with a short timeout, and left out where a read fails.

Every worker reports on the whole plant, so scraping one of them is enough. Reads run in threads of their own, so that
a scrape never holds up the line.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
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
from worker.broker.sanitising import events_in
from worker.monitoring.heartbeat import Heart
from worker.monitoring.metrics import (
    Backlog,
    Queue,
    backlog_families,
    line_status_families,
    process_families,
    queue_families,
)
from worker.monitoring.process_state import ProcessState

log = structlog.get_logger()

MAX_AGE: Final = 5.0
"""Seconds for which a reading is served again: two Prometheuses and a curious person cost no more than one."""

READ_TIMEOUT: Final = 2.0
"""Seconds that a scrape waits for a reading; Prometheus's own scrape timeout is 10 s."""

SAMPLE: Final = 8
"""How many of the next messages are looked into, for their age and for how many captures they carry."""

T = TypeVar("T")


class CachedReading(Generic[T]):
    """The newest result of a slow read, which one thread at a time does; None where it failed or is not there yet."""

    def __init__(self, read: Callable[[], T], what: str, *, max_age: float = MAX_AGE, timeout: float = READ_TIMEOUT):
        """`read` may raise anything, and may hang; `what` names it in the log."""
        self._read = read
        self._what = what
        self._max_age = max_age
        self._timeout = timeout
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self._result: T | None = None
        self._read_at = float("-inf")
        self._failing = False

    def get(self) -> T | None:
        """The result, read anew where the last one is too old."""
        with self._lock:
            if time.monotonic() - self._read_at < self._max_age:
                return self._result
            if self._reader is None or not self._reader.is_alive():
                self._reader = threading.Thread(target=self._run, name=f"metrics-{self._what}", daemon=True)
                self._reader.start()
            reader = self._reader
        reader.join(self._timeout)
        with self._lock:
            return self._result if time.monotonic() - self._read_at < self._max_age else None

    def _run(self) -> None:
        result, problem = None, None
        try:
            result = self._read()
        except Exception as error:  # noqa: BLE001 - whatever it is, the metrics do without
            problem = f"{type(error).__name__}: {error}"
        if problem is not None and not self._failing:
            log.warning("not to be had for the metrics", what=self._what, problem=problem)
        self._failing = problem is not None
        with self._lock:
            self._result, self._read_at = result, time.monotonic()


class FunctionCollector(Collector):
    """A collector whose metrics come from a function, called at every scrape."""

    def __init__(self, collect: Callable[[], Iterator[Metric]]):
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        """The metrics of this moment."""
        return self._collect()


def watch_line(registry: CollectorRegistry, database: Database, redis_url: str) -> None:
    """Add the metrics of the queue and of the line, by the database, to `registry`."""
    queue, status = queue_reading(redis_url), line_status_reading(database)
    registry.register(FunctionCollector(lambda: queue_families(queue.get(), datetime.now(UTC))))
    registry.register(FunctionCollector(lambda: line_status_families(status.get(), datetime.now(UTC))))


def watch_learning(registry: CollectorRegistry, database: Database) -> None:
    """Add the metrics of learning's backlog to `registry`."""
    backlog = backlog_reading(database)
    registry.register(FunctionCollector(lambda: backlog_families(backlog.get())))


def watch_process(registry: CollectorRegistry, heart: Heart, state: ProcessState) -> None:
    """Add the metrics of this process to `registry`."""

    def families() -> Iterator[Metric]:
        return process_families(beaten_at=heart.beaten_at, redis=state.is_connected(), ready=state.phase == "ready")

    registry.register(FunctionCollector(families))


def queue_reading(redis_url: str) -> CachedReading[Queue]:
    """What waits on the inspect queue, over a connection to Redis of its own."""
    client = connect(redis_url, timeout=READ_TIMEOUT)
    return CachedReading(partial(read_queue, client), "redis")


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
        pipe.lrange(name, -SAMPLE, -1)  # the end that workers take from
    memory, unacknowledged, *replies = (
        None if isinstance(reply, redis.ResponseError) else reply for reply in pipe.execute(raise_on_error=False)
    )
    counts, nexts = replies[: len(names)], replies[len(names) :]
    now = datetime.now(UTC)
    taken = [
        claimed(event.captured_at, now) for messages in nexts for raw in messages or () for event in events_in(raw)
    ]
    waiting = [_captures(count, messages) for count, messages in zip(counts, nexts, strict=True) if count is not None]
    return Queue(
        waiting=sum(waiting) if len(waiting) == len(names) else None,
        unacknowledged=unacknowledged,
        oldest_at=min(taken, default=None),
        full=memory["used_memory"] / memory["maxmemory"] if memory and memory["maxmemory"] else None,
    )


def _captures(messages: int, sample: Sequence[bytes] | None) -> int:
    """About how many captures so many messages carry, by the sizes of some of them."""
    if not sample:
        return messages
    return round(messages * sum(max(1, len(events_in(raw))) for raw in sample) / len(sample))


def queue_lists(queue: str) -> list[str]:
    """The Redis lists of a queue: one for each of kombu's priorities, named QUEUE, separator, PRIORITY."""
    steps: Any = Channel.priority_steps
    return [f"{queue}{Channel.sep}{step}" if step else queue for step in steps]


def line_status_reading(database: Database) -> CachedReading[LineStatus]:
    """The line's status by the database."""
    return CachedReading(partial(read_line_status, database), "database")


def read_line_status(database: Database) -> LineStatus:
    """Ask the database for the line's status."""
    with database.reading() as session:
        return line_status.current(session, datetime.now(UTC))


def backlog_reading(database: Database) -> CachedReading[Backlog]:
    """What learning has still to do, by the database."""
    return CachedReading(partial(read_backlog, database), "database", max_age=60.0)


def read_backlog(database: Database) -> Backlog:
    """Ask the database for the labels that the last training did not see."""
    with database.reading() as session:
        latest = snapshots.latest(session)
        return Backlog(reviews.newer_than(session, latest.snapshot_id if latest else None))
