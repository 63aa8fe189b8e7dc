from __future__ import annotations

import threading

import pytest
import structlog
from celery.exceptions import Reject

from db.engine.database import DatabaseUnavailable
from tests.support import wait_until
from worker.runtime import waiting
from worker.runtime.waiting import DATABASE, Service, ShuttingDown, retry_while_unavailable, stop_waiting


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_shutting_down", threading.Event())


def test_a_database_that_comes_back_was_waited_for() -> None:
    answers = iter([DatabaseUnavailable("away"), DatabaseUnavailable("away"), "here"])

    def attempt() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert retry_while_unavailable(attempt) == "here"


def test_another_error_is_not_waited_for() -> None:
    def attempt() -> None:
        raise KeyError("wrong")

    with pytest.raises(KeyError):
        retry_while_unavailable(attempt)


def test_who_waits_gives_up_at_once_when_the_worker_stops() -> None:
    attempts, outcome = [], []

    def attempt() -> None:
        attempts.append(1)
        raise DatabaseUnavailable("no server")

    def wait() -> None:
        try:
            retry_while_unavailable(attempt)
        except Reject as stopping:
            outcome.append(stopping)

    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(lambda: len(attempts) >= 4)  # in the middle of a pause of 1.6 s
    stop_waiting()
    thread.join(1.0)
    assert not thread.is_alive()
    (stopping,) = outcome
    assert isinstance(stopping, ShuttingDown)
    assert stopping.requeue
    assert "no server" in str(stopping.reason)


def test_a_stopping_worker_still_finishes_with_a_database_that_is_there() -> None:
    stop_waiting()
    assert retry_while_unavailable(lambda: 7) == 7


def test_each_service_that_is_away_is_named_once_and_again_when_it_is_back() -> None:
    disk = Service("the disk", lambda error: isinstance(error, OSError))
    answers: list[Exception | str] = [OSError("no disk"), DatabaseUnavailable("no server"), OSError("no disk"), "here"]

    def attempt() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with structlog.testing.capture_logs() as logs:
        assert retry_while_unavailable(attempt, disk, DATABASE) == "here"
    assert [(entry["event"], entry.get("problem")) for entry in logs] == [
        ("the disk is away, waiting", "no disk"),
        ("the database is away, waiting", "no server"),
        ("the disk is back", None),
        ("the database is back", None),
    ]
