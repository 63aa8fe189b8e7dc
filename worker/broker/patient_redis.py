"""A worker's own calls to Redis, beside Celery's: bounded in time, and tried again over a short restart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from producer.delivery.redis_connection import connect

CALL_TIMEOUT: Final = 5.0
"""Seconds that one call to Redis may take."""


def connect_patiently(redis_url: str) -> redis.Redis:
    """Return a client that bridges a short restart of Redis; a longer one is the caller's to wait for."""
    return connect(redis_url, timeout=CALL_TIMEOUT, retry=Retry(ExponentialBackoff(cap=2.0, base=0.1), 5))


Command = Sequence[bytes | str | int]


def call_together(client: redis.Redis, commands: Sequence[Command]) -> list[Command]:
    """Send commands in one go, each whatever becomes of the others; those whose key is of another type in Redis.

    As a pipeline of redis-py's does it, in half of its time where other work has filled the processor's caches.

    Raises:
        redis.ResponseError: Redis refused one of them for another reason.
        redis.RedisError: Redis is away, or hangs; what was done of it is not known.
    """
    pool = client.connection_pool
    connection: Any = pool.get_connection()
    try:
        exchange = partial(_exchange, connection, commands)
        of_another_type: list[Command] = connection.retry.call_with_retry(
            exchange, lambda _error: connection.disconnect()
        )
    except BaseException:
        connection.disconnect()  # replies may still be on their way
        raise
    finally:
        pool.release(connection)
    return of_another_type


def _exchange(connection: Any, commands: Sequence[Command]) -> list[Command]:
    connection.send_packed_command(connection.pack_commands(commands))
    of_another_type, refused = list[Command](), None
    for command in commands:
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
