"""The worker's connection to Redis: kombu's own, with three of its ways mended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import redis
import structlog
from celery.app.amqp import AMQP
from kombu.connection import Connection
from kombu.transport.redis import Channel, QoS, Transport

from producer.event import INSPECT_QUEUE
from worker.envelope import envelope

log = structlog.get_logger()

RECONNECT_EVERY: Final = 2.0
"""Seconds between two looks whether Redis is back. kombu's own pause grows to 30 s, and Celery has no setting for it:
after a long outage the line would stand still for half a minute more."""


class CarefulClient(redis.Redis):
    """Hands kombu messages of the inspect queue in an envelope that it can open, whatever is in the queue."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Read one reply; of a message that was fetched, its envelope."""
        reply = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or not reply:
            return reply
        queue, raw = reply
        # With priorities a queue is several lists; the others are named QUEUE, kombu's separator, PRIORITY.
        if queue.decode().partition(Channel.sep)[0] != INSPECT_QUEUE:
            return reply
        message, problem = envelope(raw, datetime.now(UTC))
        if problem is not None:
            log.warning("a malformed message", problem=problem, bytes=len(raw))
        return queue, message


class CarefulQoS(QoS):
    """Counts a message as out of hand also when Redis could not be told so.

    redis-py connects anew by itself, so a short crash of Redis may cost an acknowledgement and nothing else: kombu then
    keeps counting that message, and a worker that has lost as many as it may have in hand stands idle for ever, its
    connection in order. What was not acknowledged comes again after the visibility timeout, and is confirmed again.
    """

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message.

        Raises:
            redis.RedisError: Redis was not told.
        """
        with self._out_of_hand(delivery_tag):
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message back, or drop it.

        Raises:
            redis.RedisError: Redis was not told.
        """
        with self._out_of_hand(delivery_tag):
            super().reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]

    @contextmanager
    def _out_of_hand(self, delivery_tag: str) -> Iterator[None]:
        try:
            yield
        except Exception:
            self._quick_ack(delivery_tag)
            raise


class CarefulChannel(Channel):
    """kombu's channel with a `CarefulClient` and a `CarefulQoS`."""

    QoS = CarefulQoS
    _one_client: Any = None

    def _get_client(self) -> Any:
        super()._get_client()  # type: ignore[no-untyped-call]  # checks redis-py's version
        return CarefulClient

    def _create_client(self, asynchronous: bool = False) -> Any:
        # kombu makes a client for each of its calls; that alone was a tenth of a worker's time for a capture.
        if asynchronous:
            return super()._create_client(True)  # type: ignore[no-untyped-call]
        if self._one_client is None or self._one_client.connection_pool is not self.pool:
            self._one_client = super()._create_client()  # type: ignore[no-untyped-call]
        return self._one_client


class CarefulTransport(Transport):
    """kombu's transport with a `CarefulChannel`."""

    Channel = CarefulChannel


class PromptConnection(Connection):
    """kombu's connection by `CarefulTransport`, tried again every `RECONNECT_EVERY` seconds while Redis is away."""

    def get_transport_cls(self) -> Any:
        """The transport, for every form of URL that Redis has."""
        return CarefulTransport

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        """Connect, waiting for as long as it takes."""
        options = {"interval_max": RECONNECT_EVERY, **options}
        return super().ensure_connection(*args, **options)  # type: ignore[no-untyped-call]


class Amqp(AMQP):  # type: ignore[misc]
    """Celery's place for the class of its connections."""

    Connection = PromptConnection
