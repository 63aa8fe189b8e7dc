"""What is read for the metrics: seldom, waited for briefly, missed without harm."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from db.queries.line_status import LineStatus
from producer.configuration.ports import PortTaken
from producer.telemetry.metrics_server import exposed
from tests.metrics_support import collected, scraped
from tests.support import wait_until
from worker.embedded.redis_server import free_port
from worker.monitoring.metrics import (
    Backlog,
    Queue,
    WorkerMetrics,
    backlog_families,
    line_status_families,
    queue_families,
    worker_families,
)
from worker.monitoring.plant_metrics import CachedReading, queue_lists

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def test_an_answer_is_asked_for_once_and_kept_for_a_while() -> None:
    asked = []
    reading = CachedReading(lambda: asked.append(1) or len(asked), "test", max_age=0.2)
    assert [reading.get(), reading.get()] == [1, 1]
    wait_until(lambda: reading.get() == 2, what="a new answer")


def test_a_question_that_hangs_is_asked_once_and_holds_nobody_up() -> None:
    go_on = threading.Event()
    asked = []

    def ask() -> int:
        asked.append(1)
        go_on.wait(30)
        return 7

    reading = CachedReading(ask, "test", max_age=60, timeout=0.05)
    began = time.monotonic()
    assert [reading.get(), reading.get(), reading.get()] == [None, None, None]
    assert time.monotonic() - began < 5
    assert len(asked) == 1
    go_on.set()
    wait_until(lambda: reading.get() == 7, what="the answer that came late")


def test_a_question_that_fails_has_no_answer_until_it_has_one() -> None:
    problems = [OSError("away"), OSError("away")]

    def ask() -> int:
        if problems:
            raise problems.pop()
        return 1

    reading = CachedReading(ask, "test", max_age=0)
    answers = []
    wait_until(lambda: answers.append(reading.get()) or not problems)
    assert answers[0] is None


def test_a_queue_is_the_lists_of_all_priorities() -> None:
    assert queue_lists("inspect") == ["inspect", "inspect\x06\x163", "inspect\x06\x166", "inspect\x06\x169"]


def test_what_is_not_known_has_no_value_and_is_not_up() -> None:
    told = collected(queue_families(None, NOW), line_status_families(None, NOW))
    assert [(each.name, each.value) for each in told.samples] == [("inserts_redis_up", 0), ("inserts_database_up", 0)]
    assert [each.name for each in collected(backlog_families(None)).samples] == ["inserts_database_up"]
    assert collected(queue_families(Queue(3, None), NOW)).names() == {"inserts_redis_up", "inserts_queue_captures"}
    waits = collected(queue_families(Queue(3, 1, NOW - timedelta(minutes=2)), NOW))
    assert waits.value("inserts_queue_oldest_age_seconds") == 120
    assert collected(queue_families(Queue(0, 1), NOW)).value("inserts_queue_oldest_age_seconds") == 0


@pytest.mark.parametrize(("minutes", "age"), [(None, 0), (5, 300), (-5, 0)])
def test_how_the_line_stands_becomes_values(minutes: float | None, age: float) -> None:
    oldest = None if minutes is None else NOW - timedelta(minutes=minutes)
    told = collected(line_status_families(LineStatus(oldest, {"crashed": 2, "odd": 1}, 0.25, None), NOW))
    assert told.value("inserts_recorded_oldest_age_seconds") == age
    assert told.value("inserts_unsure_ratio") == 0.25
    assert told.value("inserts_open_faults", reason="crashed") == 2
    assert told.value("inserts_open_faults", reason="odd") == 1
    assert told.value("inserts_open_faults", reason="image_missing") == 0
    assert told.labels("inserts_champion_info") == []
    assert collected(backlog_families(Backlog(12))).value("inserts_learn_waiting_labels") == 12


def test_a_worker_without_a_model_says_so() -> None:
    told = collected(worker_families(in_hand=3, champion=None, shadow=None, refused=False))
    assert told.labels("inserts_model_info") == [{"role": "champion", "model": "none"}]
    both = collected(worker_families(in_hand=3, champion="a", shadow="b", refused=True))
    assert [each["role"] for each in both.labels("inserts_model_info")] == ["champion", "shadow"]
    assert both.value("inserts_model_refused") == 1


def test_metrics_are_served_for_as_long_as_the_block_lasts() -> None:
    metrics, port = WorkerMetrics(), free_port()
    metrics.fault("image_missing")
    with exposed(metrics.registry, port, "127.0.0.1"):
        told = scraped(port)
        assert told.value("inserts_faults_total", reason="image_missing") == 1
        assert not {name for name in told.names() if name.endswith("_created")}
        taken = exposed(metrics.registry, port, "127.0.0.1")
        with pytest.raises(PortTaken, match=rf"port {port} is in use.*INSERTS_METRICS_PORT"), taken:
            pass
    with pytest.raises(OSError, match="refused"):
        scraped(port)
    with exposed(metrics.registry, port, "127.0.0.1"):
        assert scraped(port).names()
