"""Commands in one write: a transaction that cannot be done leaves nothing, and the connection goes on."""

from __future__ import annotations

import pytest
import redis

from producer.delivery.redis_connection import connect
from tests.support import RedisProcess
from worker.broker.at_once import done_together, replies_of


def test_of_a_transaction_that_is_refused_nothing_is_done(redis_server: RedisProcess) -> None:
    client = connect(redis_server.url, timeout=5.0)
    with pytest.raises(redis.ResponseError, match="unknown command"):
        done_together(client, ("SET", "a", "1"), ("NONSENSE",))
    assert client.exists("a") == 0
    done_together(client, ("SET", "a", "1"), ("SET", "b", "2"))
    assert client.mget("a", "b") == [b"1", b"2"]
    client.close()


def test_a_command_that_cannot_be_done_is_an_error(redis_server: RedisProcess) -> None:
    client = connect(redis_server.url, timeout=5.0)
    client.set("text", "1")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        done_together(client, ("HDEL", "text", "1"))
    wrong, right = replies_of(client, [("HDEL", "text", "1"), ("GET", "text")])
    assert isinstance(wrong, redis.ResponseError)
    assert right == b"1"
    client.close()


def test_a_connection_that_was_lost_is_made_anew(redis_server: RedisProcess) -> None:
    client = connect(redis_server.url, timeout=5.0)
    client.ping()
    redis_server.client().client_kill_filter(_type="normal", skipme=True)
    assert replies_of(client, [("PING",)]) == [b"PONG"]
    client.close()
