"""Commands to Redis in one write: past redis-py's pipeline, which takes several times as long for a message's few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis

Command = tuple[str | bytes | int | float, ...]


def replies_of(client: redis.Redis, commands: Sequence[Command]) -> list[Any]:
    """Send commands at once; the reply to each as it came, an error as the exception that it is.

    What a lost connection took is sent again as often as the client's own calls are.

    Raises:
        redis.RedisError: Redis is away, or refuses for now where the client's connections raise that; not all of them
            may have been done.
    """
    connection: Any = client.connection_pool.get_connection()
    try:
        return list(connection.retry.call_with_retry(lambda: _replies(connection, commands), lambda _: None))
    finally:
        client.connection_pool.release(connection)


def done_together(client: redis.Redis, *commands: Command) -> None:
    """Have commands done as one transaction: all of them, or none.

    Raises:
        redis.RedisError: as `replies_of`, or one of them cannot be done.
    """
    replies = replies_of(client, [("MULTI",), *commands, ("EXEC",)])
    for reply in (*replies[:-1], *(replies[-1] if isinstance(replies[-1], list) else replies[-1:])):
        if isinstance(reply, Exception):
            raise reply


def _replies(connection: Any, commands: Sequence[Command]) -> list[Any]:
    try:
        connection.send_packed_command(connection.pack_commands(commands))
        return [_reply(connection) for _ in commands]
    except BaseException:
        connection.disconnect()  # replies may still be on their way
        raise


def _reply(connection: Any) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error
