"""kombu's Redis transport with workarounds, one class each.

`_UniformErrors`: a Redis that refuses commands is treated like one that is away. `CarefulClient`: malformed messages
cannot end Celery's loop. `CarefulQoS`: lost acknowledgements occupy no prefetch slot, and a message's two transactions
go past redis-py's pipeline. `CarefulChannel`: one client for all calls. `PromptConnection`: reconnects within seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Self

import redis
import structlog
from celery.app.amqp import AMQP
from kombu.connection import Connection
from kombu.transport.redis import QoS

from producer.contract.answers import STREAM_FIELD, STREAM_PREFIX
from producer.contract.event import INSPECT_QUEUE
from producer.delivery.redis_connection import connect
from producer.delivery.redis_refusals import RedisRefuses, is_away, is_denied, refusal
from producer.delivery.redis_transport import UrlChannel, UrlTransport
from producer.runtime.outage_log import OutageLog
from worker.broker.patient_redis import Command, call_in_transaction
from worker.broker.sanitising import sanitise

log = structlog.get_logger()

RECONNECT_EVERY: Final = 2.0
"""Seconds between two attempts to reconnect. kombu's own pause grows to 30 s, and Celery has no setting for it: after a
long outage the line would stand still for half a minute more."""


CHECK_TIMEOUT: Final = 5.0
"""Seconds that one call of `check_access` may take."""

_OUTAGE: Final = OutageLog("Redis is away, waiting", "Redis is back")
_DENIED: Final = OutageLog("Redis denies this process a command, waiting", "Redis lets it in again")

_NOBODY: Final = STREAM_PREFIX
"""A stream that no station has."""


def check_access(redis_url: str) -> None:
    """Check that Redis lets this process in; one that is away or refuses for now is not waited for here.

    Raises:
        ValueError: it does not, and will not until a password, a permission or the URL is changed; or another program
            keeps something else under the queue's name.
    """
    client = connect(redis_url, timeout=CHECK_TIMEOUT)
    try:
        client.ping()
        try_commands(client)
    except (redis.AuthenticationError, redis.ResponseError) as error:
        if str(error).startswith("WRONGTYPE"):
            raise ValueError(
                f"another program uses this Redis database too: {INSPECT_QUEUE}, {UrlChannel.unacked_key} or "
                f"{UrlChannel.unacked_index_key} is not the line's (`redis-cli TYPE` says what it is). Delete it, or "
                "give the line a database of its own (INSERTS_REDIS_URL)"
            ) from error
        if refusal(error) is None:
            raise ValueError(
                f"Redis does not let this process in: {error} (see INSERTS_REDIS_URL and its user and password)"
            ) from error
    except redis.RedisError as error:
        _OUTAGE.begins(str(error))
    finally:
        client.close()


def try_commands(client: redis.Redis) -> None:
    """Try the commands by which messages are taken and answers told, in a way that changes nothing.

    Raises:
        redis.RedisError: Redis is away, refuses writes, or denies one of them.
    """
    client.zadd(UrlChannel.unacked_index_key, {"": 0}, xx=True)  # a member that does not exist is not changed
    client.zrem(UrlChannel.unacked_index_key, "")
    client.hdel(UrlChannel.unacked_key, "")
    client.brpop([f"{INSPECT_QUEUE}.none"], 0.01)  # Redis takes parts of a second
    client.xadd(_NOBODY, {STREAM_FIELD: ""}, nomkstream=True)
    client.expire(_NOBODY, 1)
    client.llen(INSPECT_QUEUE)


class _UniformErrors:
    """Mixed into a connection: every way in which Redis refuses commands for now is `RedisRefuses`.

    kombu takes a refusal for an error of the caller, which ends the worker. A connection that is dropped instead is
    made anew, with waiting.
    """

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Read one reply.

        Raises:
            RedisRefuses: it was a refusal, or is denied.
        """
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except redis.RedisError as error:
            reason = refusal(error)
            if reason is None and is_denied(error):
                reason = f"{error} (were its user's rights changed, or does another program use its keys?)"
                _DENIED.begins(reason)
                time.sleep(RECONNECT_EVERY)  # a connection may well be had, and would be dropped again at once
            if reason is None:
                raise
            self.disconnect()  # type: ignore[attr-defined]  # replies of a pipeline may still be on their way
            raise RedisRefuses(reason) from error


class CarefulClient(redis.Redis):
    """Hands kombu messages of the inspect queue in a form that it can always read, whatever the queue holds."""

    def ping(self, **options: Any) -> Any:
        """Whether Redis answers and lets a worker do its work: kombu has a connection only if it does."""
        answer = super().ping(**options)
        try_commands(self)
        return answer

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Read one reply; a message that was fetched is sanitised."""
        reply = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or not reply:
            return reply
        queue, raw = reply
        # With priorities a queue is several lists; the others are named QUEUE, kombu's separator, PRIORITY.
        if queue.decode().partition(UrlChannel.sep)[0] != INSPECT_QUEUE:
            return reply
        message, problem = sanitise(raw, datetime.now(UTC))
        if problem is not None:
            log.warning("a malformed message", problem=problem, bytes=len(raw))
        return queue, message


class _Transaction:
    """What kombu's `QoS` asks of a pipeline of redis-py's, which took a third of the parent's time for a message."""

    def __init__(self, client: redis.Redis):
        self._client = client
        self._commands = list[Command]()

    def zadd(self, key: str, scores: Mapping[str, float]) -> Self:
        """A message is in hand since its score."""
        self._commands += [("ZADD", key, score, member) for member, score in scores.items()]
        return self

    def zrem(self, key: str, member: str) -> Self:
        """It is no more."""
        self._commands.append(("ZREM", key, member))
        return self

    def hset(self, key: str, field: str, value: str) -> Self:
        """Keep what it holds."""
        self._commands.append(("HSET", key, field, value))
        return self

    def hdel(self, key: str, field: str) -> Self:
        """Keep it no more."""
        self._commands.append(("HDEL", key, field))
        return self

    def execute(self) -> None:
        """Do what was asked for, all of it or nothing."""
        call_in_transaction(self._client, self._commands)


class CarefulQoS(QoS):
    """Frees a message's prefetch slot also when its acknowledgement is lost.

    redis-py reconnects by itself, so a short crash of Redis may cost an acknowledgement and nothing else: kombu then
    keeps counting that message, and a worker that has lost as many as its prefetch count stays idle for ever, its
    connection in order. What was not acknowledged is redelivered after the visibility timeout, and confirmed again.
    """

    def append(self, message: Any, delivery_tag: str) -> None:
        """Record that a message is in hand; where its key is another program's, the connection counts as lost.

        Raises:
            RedisRefuses: it is. The station sends what the message carried again.
        """
        try:
            super().append(message, delivery_tag)  # type: ignore[no-untyped-call]
        except redis.ResponseError as error:  # of a command in a transaction, which `_UniformErrors` does not see
            if not is_denied(error):
                raise
            raise RedisRefuses(str(error)) from error

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message; it is redelivered where Redis is away or refuses."""
        with self._slot_freed(delivery_tag):
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message back, or drop it; it is redelivered where Redis is away or refuses."""
        with self._slot_freed(delivery_tag):
            super().reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]

    @contextmanager
    def pipe_or_acquire(self, pipe: Any = None, client: Any = None) -> Iterator[Any]:
        """What takes the two commands that each message needs when it is taken and when it is acknowledged."""
        if pipe:
            yield pipe
            return
        with self.channel.conn_or_acquire(client) as its_client:
            yield _Transaction(its_client)

    @contextmanager
    def _slot_freed(self, delivery_tag: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._quick_ack(delivery_tag)
            if not is_away(error):
                raise
            _OUTAGE.begins(str(error))  # Celery would write a traceback for each message in hand


class CarefulChannel(UrlChannel):
    """kombu's channel with a `CarefulClient` and a `CarefulQoS`."""

    QoS = CarefulQoS
    _one_client: Any = None

    def _get_client(self) -> Any:
        super()._get_client()  # type: ignore[no-untyped-call]  # checks redis-py's version
        return CarefulClient

    def _get_pool(self, asynchronous: bool = False) -> Any:
        pool = super()._get_pool(asynchronous)
        pool.connection_class = type("UniformConnection", (_UniformErrors, pool.connection_class), {})
        return pool

    def _create_client(self, asynchronous: bool = False) -> Any:
        # kombu makes a client for each of its calls; that alone was a tenth of a worker's time for a capture.
        if asynchronous:
            return super()._create_client(True)  # type: ignore[no-untyped-call]
        if self._one_client is None or self._one_client.connection_pool is not self.pool:
            self._one_client = super()._create_client()  # type: ignore[no-untyped-call]
        return self._one_client


class CarefulTransport(UrlTransport):
    """kombu's transport with a `CarefulChannel`; a refusal is a connection that was lost."""

    Channel = CarefulChannel
    connection_errors = (*UrlTransport.connection_errors, RedisRefuses)


class PromptConnection(Connection):
    """kombu's connection, tried again every `RECONNECT_EVERY` seconds while Redis is away."""

    def ensure_connection(self, _errback: object = None, *args: Any, **options: Any) -> Any:
        """Connect, waiting for as long as it takes, and log why once; Celery's `_errback` would at each attempt."""
        options = {"interval_max": RECONNECT_EVERY, **options}
        connected = super().ensure_connection(_log_outage, *args, **options)  # type: ignore[no-untyped-call]
        _OUTAGE.ends()
        return connected


def _log_outage(error: Exception, _pause: float) -> None:
    _OUTAGE.begins(str(error))


class Amqp(AMQP):  # type: ignore[misc]
    """Celery's place for the class of its connections."""

    Connection = PromptConnection
