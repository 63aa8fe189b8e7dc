"""What a person has done with single events and heads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.sinks.last_answers import LastAnswers
from producer.contract.plant_event import PlantEvent, plant_event
from tests.integration.plant import check, verdict


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DeliveryLog]:
    log = DeliveryLog(tmp_path / "deliveries.db")
    log.set_up("mes", True, None, time.time())
    yield log
    log.close()


def _tell(log: DeliveryLog, *events: PlantEvent) -> None:
    log.keep({"mes": events}, {})
    last = LastAnswers(log, "mes")
    for delivery in log.due("mes", time.time(), 10):
        log.delivered("mes", [delivery], time.time(), last.remember(delivery).kept)


def _shows(log: DeliveryLog) -> list[str | None]:
    return [event.subject for _, event in LastAnswers(log, "mes").kept]


def test_a_given_up_event_is_put_away_and_what_was_before_it_stays_unknown(log: DeliveryLog) -> None:
    go, replace = (plant_event("p", "s", check(state), 0.0) for state in ("go", "replace"))
    _tell(log, go)
    log.keep({"mes": [replace]}, {})
    with pytest.raises(ValueError, match=f"mes has no event {replace.id} that is given up, so nothing was changed"):
        log.by_hand.put_away("mes", [replace.id])
    log.by_hand.give_up("mes", [replace.id], time.time())
    assert log.sinks()[0].given_up == 1
    assert log.by_hand.put_away("mes", [replace.id]) == 1
    assert log.sinks()[0].given_up == 0
    assert _shows(log) == []
    assert log.by_hand.replay("mes", [replace.id], time.time()) == 1
    assert [one.event for one in log.due("mes", time.time(), 9)] == [replace]


def test_a_head_that_is_gone_is_forgotten_with_its_pockets_and_no_other(log: DeliveryLog) -> None:
    gone = [plant_event("p", "s", answer, 0.0) for answer in (verdict(1), check("replace"), check("review"))]
    _tell(log, *gone, *(plant_event("p", "s", answer, 0.0) for answer in (verdict(1, head="H13"), check(head="H13"))))
    log.keep({"mes": [refused := plant_event("p", "s", check("go"), 0.0)]}, {})
    log.by_hand.give_up("mes", [refused.id], time.time())
    log.by_hand.forget_head("mill-1", "H12")
    assert _shows(log) == ["mill-1/H13/1", "mill-1/H13"]
    assert log.sinks()[0].given_up == 0
    with pytest.raises(ValueError, match="nothing is known of mill-1 H12, so nothing was changed"):
        log.by_hand.forget_head("mill-1", "H12")
