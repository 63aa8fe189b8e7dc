"""The schedule of learning, and beat's memory of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from worker.learning.app import LEARN_QUEUE, REEXTRACT_TASK, RETRAIN_TASK, make_learn_app, schedule
from worker.learning.beat_schedule import LONG_AGO, FileScheduler, read
from worker.settings import WorkerSettings


@pytest.fixture
def settings(tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(data=tmp_path, redis_url="redis://127.0.0.1:1/0", retrain_every=60, reextract_every=10)


def test_learning_has_a_queue_of_its_own_and_acknowledges_early(settings: WorkerSettings) -> None:
    conf = make_learn_app(settings).conf
    assert [queue.name for queue in conf.task_queues] == [LEARN_QUEUE] == [conf.task_default_queue]
    assert conf.task_acks_late is False
    assert conf.worker_disable_prefetch is True
    assert conf.accept_content == ["json"]


def test_what_nobody_began_is_void_when_it_is_asked_for_again(settings: WorkerSettings) -> None:
    for name, seconds in ((RETRAIN_TASK, 60.0), (REEXTRACT_TASK, 10.0)):
        assert schedule(settings)[name] == {"task": name, "schedule": seconds, "options": {"expires": seconds}}


def beat(settings: WorkerSettings) -> FileScheduler:
    return FileScheduler(make_learn_app(settings), str(settings.schedule_path()))


def due(scheduler: FileScheduler) -> set[str]:
    return {name for name, entry in scheduler.schedule.items() if entry.is_due().is_due}


def test_what_was_never_asked_for_is_due_and_what_was_is_remembered(settings: WorkerSettings) -> None:
    first = beat(settings)
    assert len(due(first)) == 5
    first.reserve(first.schedule[RETRAIN_TASK])
    first.sync()
    second = beat(settings)
    assert RETRAIN_TASK not in due(second)
    assert REEXTRACT_TASK in due(second)
    assert second.schedule[RETRAIN_TASK].last_run_at == first.schedule[RETRAIN_TASK].last_run_at
    assert second.schedule[REEXTRACT_TASK].last_run_at == LONG_AGO


def test_a_clock_that_was_set_back_holds_nothing_up(settings: WorkerSettings) -> None:
    path = settings.schedule_path()
    path.parent.mkdir()
    path.write_text(json.dumps({RETRAIN_TASK: (datetime.now(UTC) + timedelta(days=9)).isoformat()}))
    assert beat(settings).schedule[RETRAIN_TASK].last_run_at <= datetime.now(UTC)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 3}', '{"a": "never"}', "\x80"])
def test_a_damaged_memory_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "beat.json").write_bytes(text.encode("latin-1"))
    assert read(tmp_path / "beat.json") == {}


def test_a_memory_that_cannot_be_written_does_not_stop_beat(settings: WorkerSettings, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("not a folder")
    scheduler = beat(settings)
    with capture_logs() as logs:
        scheduler.sync()
    assert [entry["event"] for entry in logs] == ["beat's memory cannot be written"]
    assert RETRAIN_TASK in due(scheduler)
