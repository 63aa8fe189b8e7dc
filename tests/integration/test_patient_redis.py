"""Commands that go to Redis together have their own replies, whatever happened to those before."""

from __future__ import annotations

import pytest
import redis

from producer.delivery.redis_connection import connect
from tests.support import RedisProcess
from worker.broker.patient_redis import call_together, connect_patiently


def test_replies_come_in_order_with_an_error_for_what_is_refused(redis_server: RedisProcess) -> None:
    client = connect_patiently(redis_server.url)
    refused = [("SET", "key", 7), ("LPUSH", "key", "more"), ("GET", "key")]
    stored, error, value = call_together(client, refused)
    assert (stored, value) == (b"OK", b"7")
    assert str(error).startswith("WRONGTYPE")
    client.close()


def test_a_connection_that_was_cut_is_made_anew(redis_server: RedisProcess) -> None:
    client = connect_patiently(redis_server.url)
    [own] = call_together(client, [("CLIENT", "ID")])
    redis_server.client().client_kill_filter(_id=str(own))
    assert call_together(client, [("ECHO", "again")]) == [b"again"]
    client.close()


def test_a_reply_that_was_not_waited_for_is_not_that_of_the_next(redis_server: RedisProcess) -> None:
    client = connect(redis_server.url, timeout=0.2)
    redis_server.client().execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
    with pytest.raises(redis.TimeoutError):
        call_together(client, [("SET", "key", "value")])
    redis_server.client().execute_command("CLIENT", "UNPAUSE")
    assert call_together(client, [("ECHO", "mine")]) == [b"mine"]
    client.close()
