"""What can be asked again, and by what."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import pytest

from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.opcua.result import result_of
from producer.connect.opcua.result_history import LISTED, Field, ResultHistory
from producer.contract.plant_event import PlantEvent, plant_event
from tests.integration.plant import check, fault, verdict

EVENTS = [
    plant_event("p", "station-1", answer.model_copy(update=more), 0.0)
    for answer, more in [
        (verdict(1), {"model": "network-1"}),
        (verdict(2), {}),
        (fault(), {}),
        (check(), {"operation": "op-7"}),
        (check(machine="mill 2, old"), {}),
    ]
]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[ResultHistory]:
    log = DeliveryLog(tmp_path / "deliveries.db")
    log.keep({"cell": EVENTS, "other": EVENTS[:1]}, {})
    log.delivered("cell", log.due("cell", time.time(), 4), time.time(), {})
    log.delivered("cell", log.due("cell", time.time(), 1), time.time() - LISTED - 1, {})
    history = ResultHistory(log.path, "cell")
    yield history
    history.close()
    log.close()


def test_what_was_delivered_is_listed_for_a_day_piece_by_piece_and_found_for_longer(history: ResultHistory) -> None:
    assert history.listed({}, 0, 10) == (EVENTS[3::-1], True)
    assert history.listed({}, 0, 3) == (EVENTS[3:0:-1], False)
    assert history.listed({}, 3, 3) == ([EVENTS[0]], True)
    assert history.by_id(EVENTS[4].id) == EVENTS[4]
    assert history.by_id("0" * 32) is None


@pytest.mark.parametrize("field", get_args(Field))
def test_a_result_is_found_by_what_its_fields_say(history: ResultHistory, field: Field) -> None:
    def said(event: PlantEvent) -> str | int:
        value = asdict(result_of(event, frozenset()))[field]
        assert isinstance(value, str | int)
        return value

    for value in {said(event) for event in EVENTS} - {""}:
        expected = [event for event in EVENTS[3::-1] if said(event) == value]
        assert history.listed({field: value}, 0, 10) == (expected, True)
