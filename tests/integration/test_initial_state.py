"""What a reading begins with, of a stream that has much."""

from __future__ import annotations

import weakref
from contextlib import closing
from pathlib import Path

from producer.connect.configuration.connector_file import MqttSink
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.initial_state import InitialState, replay_stream
from producer.connect.sinks.last_answers import LastAnswers
from producer.contract.answers import STREAM_FIELD, CheckAnswer
from producer.contract.plant_event import PLANT_STREAM, PlantEvent, plant_event
from producer.contract.plant_news import PLANT_ANSWERS
from producer.delivery.stream_reader import BATCH, StreamEntry
from tests.integration.plant import check, verdict
from tests.support import RedisProcess
from worker.line.notifier import Notifier


def test_of_a_stream_that_has_much_no_more_is_in_memory_than_is_read_at_once(
    redis_server: RedisProcess, line: Notifier, tmp_path: Path
) -> None:
    read: weakref.WeakValueDictionary[str, PlantEvent] = weakref.WeakValueDictionary()
    most = 0

    def event_of(entry: StreamEntry) -> PlantEvent:
        nonlocal most
        event = plant_event("p", "station-1", PLANT_ANSWERS.validate_json(entry.fields[STREAM_FIELD]), 0.0)
        read[entry.id] = event
        most = max(most, len(read))
        return event

    run = check()
    answers = [verdict(1 + number % 30) for number in range(4 * BATCH)]
    line.send([("station-1", one) for one in (run, *answers, run.model_copy(update={"state": "review"}))])
    [(end, _)] = redis_server.client().xrevrange(PLANT_STREAM, count=1)
    file = {"broker": MqttSink(url="mqtt://127.0.0.1")}
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        state = InitialState(log, [*file.items()])
        replay_stream(state, redis_server.url, "0-0", end, event_of)
        assert most <= 2 * BATCH, most
        state.begin(dict.fromkeys(file, ""))
        kept = [event.data for _, event in LastAnswers(log, "broker").kept]
    assert len(kept) == 31
    assert [one.state for one in kept if isinstance(one, CheckAnswer)] == ["review"]
