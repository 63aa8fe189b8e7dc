"""What was told last of each head and pocket."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from producer.connect.delivery_log import DeliveryLog
from producer.connect.sinks.last_answers import LastAnswers
from producer.contract.plant_event import plant_event
from tests.integration.plant import check, fault, verdict


def test_nothing_older_takes_the_place_of_the_last_though_it_is_sent_again(tmp_path: Path) -> None:
    said = [verdict(1), check("go"), check("review"), fault(), verdict(1)]
    events = [plant_event("p", "station-1", answer, 0.0) for answer in said]
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        log.keep({"cell": events}, {})
        last = LastAnswers(log, "cell")
        for delivery in log.due("cell", time.time(), 10):
            log.delivered("cell", [delivery], time.time(), last.remember(delivery))
        numbers = [delivery.number for delivery in log.latest("cell", None, 10)][::-1]
        assert LastAnswers(log, "cell").kept == [(numbers[2], events[2]), (numbers[4], events[4])]
        log.replay("cell", [events[1].id], time.time())
        [again] = log.due("cell", time.time() + 1, 10)
        for known in (last, LastAnswers(log, "cell")):
            assert not known.is_last(again)
            assert known.remember(again) == {}
