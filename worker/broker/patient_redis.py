"""A worker's own calls to Redis, beside Celery's: bounded in time, and tried again over a short restart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import hiredis
import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from producer.delivery.redis_connection import connect

CALL_TIMEOUT: Final = 5.0
"""Seconds that one call to Redis may take."""


def connect_patiently(redis_url: str) -> redis.Redis:
    """Return a client that bridges a short restart of Redis; a longer one is the caller's to wait for."""
    return connect(redis_url, timeout=CALL_TIMEOUT, retry=Retry(ExponentialBackoff(cap=2.0, base=0.1), 5))


T = TypeVar("T")

Command = Sequence[bytes | str | int | float]


def call_together(client: redis.Redis, commands: Callable[[], Sequence[Command]]) -> list[Command]:
    """Send commands in one go, each whatever becomes of the others; those whose key is of another type in Redis.

    They are asked for anew for each try: what is to be said may be another thing after a restart of Redis. As a
    pipeline of redis-py's does it, in half of its time where other work has filled the processor's caches.

    Raises:
        redis.ResponseError: Redis refused one of them for another reason.
        redis.RedisError: Redis is away, or hangs; what was done of it is not known.
    """
    return _lent(client, partial(_exchange, commands))


def call_in_transaction(client: redis.Redis, commands: Sequence[Command]) -> None:
    """Have Redis do commands as one transaction, in half of the time of redis-py's pipeline.

    Raises:
        redis.ResponseError: Redis refused one of them.
        redis.RedisError: Redis is away, or hangs; what was done of it is not known.
    """
    _lent(client, partial(_exchange_in_transaction, commands))


def _lent(client: redis.Redis, exchange: Callable[[Any], T]) -> T:
    """What comes of an exchange on one of the client's connections, which is tried again as the client tries."""
    pool = client.connection_pool
    connection: Any = pool.get_connection()
    try:
        answer: T = connection.retry.call_with_retry(
            partial(exchange, connection), lambda _error: connection.disconnect()
        )
    except BaseException:
        connection.disconnect()  # replies may still be on their way
        raise
    finally:
        pool.release(connection)
    return answer


def _exchange(commands: Callable[[], Sequence[Command]], connection: Any) -> list[Command]:
    sent = commands()
    _send(sent, connection)
    of_another_type, refused = list[Command](), None
    for command in sent:
        try:
            connection.read_response()
        except redis.ResponseError as error:
            if str(error).startswith("WRONGTYPE"):
                of_another_type.append(command)
            else:
                refused = refused or error
    if refused is not None:
        raise refused
    return of_another_type


def _exchange_in_transaction(commands: Sequence[Command], connection: Any) -> None:
    _send([("MULTI",), *commands, ("EXEC",)], connection)
    for _ in ("MULTI", *commands):  # each is only queued
        connection.read_response()
    for result in connection.read_response():
        if isinstance(result, redis.ResponseError):
            raise result


def _send(commands: Sequence[Command], connection: Any) -> None:
    # As redis-py packs them, which looks at each part of each command before.
    packed = [hiredis.pack_command(tuple(command)) for command in commands]  # type: ignore[arg-type]  # more than one
    connection.send_packed_command([b"".join(packed)])
