"""Commands that go to Redis together are each done, whatever becomes of the others."""

from __future__ import annotations

import pytest
import redis

from producer.delivery.redis_connection import connect
from tests.support import RedisProcess
from worker.broker.patient_redis import call_in_transaction, call_together, connect_patiently


def test_all_are_done_but_what_is_refused_and_that_is_said(redis_server: RedisProcess) -> None:
    client = connect_patiently(redis_server.url)
    of_another_type = ("LPUSH", "key", "more")
    assert call_together(client, lambda: [("SET", "key", 7), of_another_type, ("SET", "other", 8)]) == [of_another_type]
    assert client.mget("key", "other") == [b"7", b"8"]
    with pytest.raises(redis.ResponseError, match="not an integer"):
        call_together(client, lambda: [("SET", "key", "a"), ("INCR", "key"), ("SET", "other", 9)])
    assert client.get("other") == b"9"
    client.close()


def test_of_a_transaction_nothing_is_done_where_redis_does_not_know_a_command(redis_server: RedisProcess) -> None:
    client = connect_patiently(redis_server.url)
    call_in_transaction(client, [("ZADD", "scores", 1732966800.25, "a"), ("HSET", "fields", "a", "ä")])
    assert (client.zscore("scores", "a"), client.hget("fields", "a")) == (1732966800.25, "ä".encode())
    with pytest.raises(redis.ResponseError, match="wrong number of arguments"):
        call_in_transaction(client, [("DEL", "scores"), ("HSET", "fields", "a")])
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        call_in_transaction(client, [("SET", "other", 1), ("HSET", "scores", "a", "b")])
    assert client.exists("scores", "other") == 2  # the connection that was dropped is made anew
    client.close()


def test_a_connection_that_was_cut_is_made_anew(redis_server: RedisProcess) -> None:
    client = connect_patiently(redis_server.url)
    own = client.client_id()
    redis_server.client().client_kill_filter(_id=str(own))
    assert call_together(client, lambda: [("SET", "key", "again")]) == []
    assert client.get("key") == b"again"
    client.close()


def test_a_reply_that_was_not_waited_for_is_not_that_of_the_next(redis_server: RedisProcess) -> None:
    client = connect(redis_server.url, timeout=0.2)
    redis_server.client().execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
    with pytest.raises(redis.TimeoutError):
        call_together(client, lambda: [("SET", "key", "value")])
    redis_server.client().execute_command("CLIENT", "UNPAUSE")
    assert call_together(client, lambda: [("SET", "key", "mine")]) == []
    assert client.get("key") == b"mine"
    client.close()
