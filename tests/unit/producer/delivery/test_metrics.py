from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import CaptureEvent, new_id
from producer.delivery.metrics import OutboxState, StationMetrics, made_at, outbox_families
from producer.delivery.outbox import Outbox
from tests.metrics_support import collected, scrape_of
from tests.support import message


def test_an_id_says_when_it_was_made() -> None:
    assert made_at(new_id()) == pytest.approx(time.time(), abs=5)


def test_answers_are_counted_by_what_they_say_and_timed_from_the_photograph() -> None:
    metrics = StationMetrics("st-1")
    ids = {"capture_id": new_id(), "check_id": new_id()}
    where = {"machine": "m", "head": "h"}
    metrics.answered(VerdictAnswer(**ids, **where, pocket=1, outcome="damaged", judged_at=datetime.now(UTC)))
    metrics.answered(FaultAnswer(**ids, reason="image_missing: …", at=datetime.now(UTC)))
    metrics.answered(FaultAnswer(reason="invalid_event: …", at=datetime.now(UTC)))
    metrics.answered(CheckAnswer(check_id=new_id(), **where, operation="o", size=1, state="replace"))
    told = scrape_of(metrics.registry)
    assert told.value("inserts_station_answers_total", station="st-1", outcome="damaged") == 1
    assert told.value("inserts_station_answers_total", outcome="fault") == 2
    assert told.value("inserts_station_answers_total", outcome="intact") == 0
    assert told.value("inserts_station_checks_total", state="replace") == 1
    assert told.value("inserts_station_answer_seconds_count") == 2


def test_the_outbox_tells_how_full_it_is_and_how_old_its_oldest_capture(tmp_path: Path) -> None:
    metrics = StationMetrics("st-1")
    outbox = Outbox(tmp_path / "outbox.db", limit=10)
    metrics.watch(outbox)
    assert scrape_of(metrics.registry).value("inserts_station_outbox_oldest_age_seconds") == 0
    for age in (60, 3600, 10):
        outbox.add(CaptureEvent.from_message(message()), time.time() - age)
    told = scrape_of(metrics.registry)
    assert told.value("inserts_station_outbox_captures", station="st-1") == 3
    assert told.value("inserts_station_outbox_limit_captures") == 10
    assert told.value("inserts_station_outbox_oldest_age_seconds") == pytest.approx(3600, abs=10)
    assert told.value("inserts_station_outbox_up") == 1
    outbox.close()
    told = scrape_of(metrics.registry)
    assert told.value("inserts_station_outbox_up") == 0
    assert told.value("inserts_station_outbox_captures") is None


def test_confirming_says_how_many_had_waited(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    event = CaptureEvent.from_message(message())
    outbox.add(event, 1.0)
    assert outbox.confirm([], 2.0, 5.0) == 0
    assert outbox.confirm([str(event.capture_id), str(new_id())], 2.0, 5.0) == 1
    assert outbox.confirm([str(event.capture_id)], 2.0, 5.0) == 0
    outbox.close()
    with pytest.raises(sqlite3.Error):
        outbox.oldest_at()


def test_a_clock_that_was_set_back_makes_no_negative_age() -> None:
    told = collected(outbox_families("st-1", OutboxState(1, 2, oldest_at=100.0), now=50.0))
    assert told.value("inserts_station_outbox_oldest_age_seconds") == 0
