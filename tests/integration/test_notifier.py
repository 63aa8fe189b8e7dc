"""What a station may have done to its own stream costs that station, and no other."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import redis

from producer.contract.answers import STREAM_SECONDS, FaultAnswer
from producer.contract.event import new_id
from producer.contract.missed_answers import MissedAnswersEnd
from producer.contract.plant_event import PLANT_STREAM
from producer.contract.plant_news import InsertChangeAnswer
from tests.integration.plant import verdict
from tests.plant_news import NEWS
from tests.support import RedisProcess
from worker.line.notifier import Notifier


def answer() -> FaultAnswer:
    return FaultAnswer(capture_id=new_id(), reason="image_missing", at=datetime.now(UTC))


def test_a_stream_that_is_none_keeps_no_other_station_from_being_told(
    redis_server: RedisProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    client = redis_server.client()
    client.lpush("verdicts:station-1", "spoilt")
    answers = [answer() for _ in range(3)]
    notifier = Notifier(redis_server.url)
    notifier.send(zip(("station-2", "station-1", "station-3"), answers, strict=True))
    for station, told in (("station-2", answers[0]), ("station-3", answers[2])):
        ((_, fields),) = client.xrange(f"verdicts:{station}")
        assert json.loads(fields["answer"])["capture_id"] == str(told.capture_id)
    assert "verdicts:station-1" in capsys.readouterr().out
    # Once it is out of the way, the station is told again when it sends again.
    client.delete("verdicts:station-1")
    notifier.send([("station-1", answers[1])])
    assert client.xlen("verdicts:station-1") == 1
    notifier.close()


def test_what_became_of_an_insert_change_is_said_also_where_the_plant_is_told_nothing(
    redis_server: RedisProcess,
) -> None:
    *news, change = NEWS
    assert isinstance(change, InsertChangeAnswer)
    notifier = Notifier(redis_server.url, plant_length=0)
    notifier.send([("station-1", answer())])
    notifier.emit(news)
    assert not redis_server.client().exists(PLANT_STREAM)
    notifier.answer(change)
    notifier.send_missed(news, [], MissedAnswersEnd(request="1", complete=True))
    said, again = (json.loads(fields["answer"]) for _, fields in redis_server.client().xrange(PLANT_STREAM))
    assert said["change_id"] == str(change.change_id)
    assert again == {"kind": "said_again", "request": "1", "complete": False}
    notifier.close()


def test_what_the_plant_s_stream_cannot_take_is_an_error_and_not_the_end(redis_server: RedisProcess) -> None:
    """Nothing says that this was all, and what is told there alone stays to be told."""
    client = redis_server.client()
    client.lpush(PLANT_STREAM, "spoilt")
    notifier = Notifier(redis_server.url)
    *news, change = NEWS
    end = MissedAnswersEnd(request="1", complete=True)
    verdicts = [("station-1", verdict(1))]
    for say in (
        lambda: notifier.emit(news),
        lambda: notifier.answer(change),
        lambda: notifier.send_missed([], verdicts, end),
    ):
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            say()
    client.delete(PLANT_STREAM)
    notifier.send_missed(news, verdicts, end)
    kinds = [json.loads(fields["answer"])["kind"] for _, fields in client.xrange(PLANT_STREAM)]
    assert kinds == [*(piece.kind for piece in news), "verdict", "said_again"]
    assert 0 < int(client.ttl(PLANT_STREAM)) <= STREAM_SECONDS  # type: ignore[arg-type]
    notifier.close()


def test_a_full_redis_is_an_error_for_all(redis_server: RedisProcess) -> None:
    redis_server.client().config_set("maxmemory", "1")
    notifier = Notifier(redis_server.url)
    with pytest.raises(redis.ResponseError, match="maxmemory"):
        notifier.send([("station-1", answer())])
    notifier.close()


def test_a_stream_that_nobody_writes_to_any_more_goes(redis_server: RedisProcess) -> None:
    notifier = Notifier(redis_server.url)
    notifier.send([("station-1", answer()), ("station-1", answer())])
    client = redis_server.client()
    assert client.xlen("verdicts:station-1") == 2
    assert STREAM_SECONDS - 60 < int(client.ttl("verdicts:station-1")) <= STREAM_SECONDS  # type: ignore[arg-type]
    notifier.close()
