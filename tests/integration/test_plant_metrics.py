"""What a real Redis says of the queue for the metrics."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import redis

from producer.contract.event import INSPECT_QUEUE, CaptureEvent
from producer.delivery.redis_client import EventSender
from tests.support import RedisProcess, message
from worker.broker.messages import celery_message
from worker.monitoring.plant_metrics import SAMPLE, queue_lists, queue_reading, read_queue


def test_the_queue_is_counted_over_all_priorities_and_its_next_capture_is_the_oldest(
    redis_server: RedisProcess,
) -> None:
    client = redis.Redis.from_url(redis_server.url, protocol=2)
    empty = read_queue(client)
    assert (empty.waiting, empty.unacknowledged, empty.oldest_at, empty.full) == (0, 0, None, None)
    client.config_set("maxmemory", 100_000_000)
    sender = EventSender(redis_server.url)
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    for minutes in range(3):
        moment = first + timedelta(minutes=minutes)
        sender.send(CaptureEvent.from_message(message(captured_at=moment.isoformat())))
    client.lpush(queue_lists(INSPECT_QUEUE)[1], "poison")
    client.hset("unacked", "tag", "…")
    found = read_queue(client)
    assert (found.waiting, found.unacknowledged, found.oldest_at) == (4, 1, first)
    assert found.full is not None
    assert 0 < found.full < 0.5


def test_captures_are_counted_and_not_messages(redis_server: RedisProcess) -> None:
    client = redis.Redis.from_url(redis_server.url, protocol=2)
    for carried in ([message() for _ in range(8)], [message() for _ in range(4)], message()):
        client.lpush(INSPECT_QUEUE, celery_message(json.dumps(carried), "an id"))
    assert read_queue(client).waiting == 13
    for _ in range(SAMPLE):  # what is next to be taken counts for all that wait behind it
        client.rpush(INSPECT_QUEUE, celery_message(json.dumps([message() for _ in range(8)]), "an id"))
    assert read_queue(client).waiting == 8 * (SAMPLE + 3)


def test_what_this_user_may_not_count_is_not_known_and_redis_is_up_all_the_same(redis_server: RedisProcess) -> None:
    client = redis.Redis.from_url(redis_server.url, protocol=2)
    client.execute_command("ACL", "SETUSER", "small", "on", ">small", "~inspect*", "+llen", "+ping")
    place = redis_server.url.rpartition("@")[2]
    reading = queue_reading(f"redis://small:small@{place}")
    found = reading.get()
    assert found is not None
    assert (found.waiting, found.unacknowledged, found.oldest_at) == (0, None, None)
    assert found.full is None


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0"])
def test_a_redis_that_is_away_has_nothing_to_say(url: str) -> None:
    assert queue_reading(url).get() is None
