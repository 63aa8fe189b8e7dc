"""Checks of which some pocket is never photographed, on a real Redis and both databases; only time is made up."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

import pytest
from redis.exceptions import ConnectionError as RedisAway

from db.engine.database import Database
from db.line import captures, checks, incomplete_checks, verdicts
from db.line.captures import Capture
from db.line.incomplete_checks import Awaited
from db.line.verdicts import Verdict
from producer.contract.answers import ANSWERS, CheckAnswer
from producer.contract.event import new_id
from producer.contract.vocabulary import STATES
from tests.database_support import status_of
from tests.support import RedisProcess, wait_until
from worker.line.incomplete_checks import IncompleteWatch, Unchanged
from worker.line.notifier import Notifier
from worker.monitoring.metrics import WorkerMetrics

TIMEOUT = 600.0


class Plant:
    def __init__(self, database: Database, redis_server: RedisProcess):
        self.database = database
        self.redis = redis_server.client()
        self.notifier = Notifier(redis_server.url)
        self.metrics = WorkerMetrics()
        self.check = new_id()
        self.watch = self.worker()

    def worker(self, timeout: float = TIMEOUT) -> IncompleteWatch:
        return IncompleteWatch(self.database, self.notifier, self.metrics, timeout)

    def photograph(self, pocket: int, outcome: str | None = "intact", size: int = 3, **changes: Any) -> Capture:
        at = changes.pop("at", datetime.now(UTC))
        values = {"check_id": self.check, "station": "station-1", "machine": "mill-3", "head": "H12"}
        values |= {"image_sha256": f"{pocket:064x}"} | changes
        capture = Capture(
            capture_id=new_id(),
            captured_at=at,
            pocket=pocket,
            operation="op-1",
            check_size=size,
            image="a.jpg",
            **values,
        )
        with self.database.transaction() as session:
            captures.record(session, capture, at)
        if outcome is not None:
            self.judge(capture, outcome)
        return capture

    def judge(self, capture: Capture, outcome: str) -> None:
        verdict = Verdict(capture.capture_id, None, outcome, None, None, None, datetime.now(UTC))
        with self.database.transaction() as session:
            verdicts.record(session, verdict)

    def state(self, check_id: UUID | None = None) -> checks.Check:
        """What the check is, which every way of asking must agree about."""
        check_id = check_id or self.check
        with self.database.reading() as session:
            found = status_of(session, check_id)
            assert found is not None
            assert found in checks.recent(session)
            for state in STATES:
                assert (found in checks.recent(session, state=state)) == (found.state == state)
            assert checks.finished(session, [check_id]) == ([found] if found.state != "pending" else [])
        return found

    def told(self) -> list[CheckAnswer]:
        entries = self.redis.xrange("verdicts:station-1")
        return [ANSWERS.validate_json(fields["answer"]) for _, fields in entries]


@pytest.fixture
def plant(database: Database, redis_server: RedisProcess) -> Plant:
    return Plant(database, redis_server)


def test_a_check_with_pockets_never_photographed_ends_as_review(plant: Plant) -> None:
    plant.photograph(1)
    plant.photograph(3, "damaged")
    assert plant.state().state == "pending"
    assert plant.watch.look(1000.0) == plant.watch.look(1000.0 + TIMEOUT - 1) == 0
    assert plant.told() == []
    assert plant.watch.look(1000.0 + TIMEOUT) == 1
    found = plant.state()
    assert (found.state, found.review, found.missing, found.replace) == ("review", (2,), (2,), (3,))
    [answer] = plant.told()
    assert (answer.state, answer.review, answer.missing, answer.replace) == ("review", [2], [2], [3])
    assert plant.metrics.registry.get_sample_value("inserts_checks_incomplete_total") == 1
    assert plant.watch.look(9000.0) == plant.worker().look(9000.0) == 0, "once"


def test_workers_that_are_started_again_and_again_end_it_too_but_for_a_moment_for_what_waits(plant: Plant) -> None:
    plant.photograph(1)
    for began in range(0, 600, 120):  # by clocks that begin anew with each
        worker = plant.worker()
        assert [worker.look(began + second) for second in (0.0, 60.0, 100.0)] == [0, 0, 0]
    worker = plant.worker()
    assert [worker.look(second) for second in (5.0, 64.0, 65.0, 106.0)] == [0, 0, 0, 1]
    assert plant.state().state == "review"
    another = plant.photograph(1, check_id=new_id())
    plant.watch.look(0.0)
    plant.watch.look(TIMEOUT - 1)
    plant.photograph(2, check_id=another.check_id)
    assert plant.worker().look(0.0) == 0
    worker = plant.worker()
    assert [worker.look(second) for second in (0.0, TIMEOUT - 1, TIMEOUT)] == [0, 0, 1], "in another state by now"
    with plant.database.reading() as session:
        assert len(incomplete_checks.seen_for(session)) == 1, "the first one is gone"


def test_each_photograph_begins_the_time_anew(plant: Plant) -> None:
    plant.photograph(1)
    plant.watch.look(0.0)
    plant.photograph(2)
    assert plant.watch.look(TIMEOUT) == 0
    assert plant.watch.look(2 * TIMEOUT - 1) == 0
    assert plant.watch.look(2 * TIMEOUT) == 1


def test_a_photograph_that_comes_later_counts_and_the_check_is_told_anew(plant: Plant) -> None:
    plant.photograph(1)
    plant.photograph(2)
    plant.watch.look(0.0)
    plant.watch.look(TIMEOUT)
    assert plant.state().missing == (3,)
    late = plant.photograph(3, None)
    assert plant.state().state == "pending"
    plant.judge(late, "intact")
    found = plant.state()
    assert (found.state, found.missing, found.review) == ("go", (), ())
    assert plant.watch.look(9 * TIMEOUT) == 0


def test_one_of_two_that_comes_later_has_the_check_waited_for_again(plant: Plant) -> None:
    plant.photograph(1)
    plant.watch.look(0.0)
    plant.watch.look(TIMEOUT)
    plant.photograph(2)
    assert plant.state().state == "pending"
    plant.watch.look(2 * TIMEOUT)
    assert plant.watch.look(3 * TIMEOUT) == 1
    assert [answer.missing for answer in plant.told()] == [[2, 3], [3]]


def test_what_is_there_and_unjudged_waits_for_workers(plant: Plant) -> None:
    for pocket in (1, 2, 3):
        plant.photograph(pocket, None)
    plant.watch.look(0.0)
    assert plant.watch.look(100 * TIMEOUT) == 0
    assert plant.state().state == "pending"


def test_one_that_is_given_up_is_told_when_what_is_there_is_judged(plant: Plant) -> None:
    plant.photograph(1)
    waiting = plant.photograph(2, None)
    plant.watch.look(0.0)
    assert plant.watch.look(TIMEOUT) == 1
    assert plant.told() == []
    assert plant.state().state == "pending"
    plant.judge(waiting, "intact")
    assert (plant.state().state, plant.state().missing) == ("review", (3,))


def test_a_crash_between_telling_and_writing_has_it_told_again(plant: Plant, monkeypatch) -> None:
    plant.photograph(1)
    plant.watch.look(0.0)

    def crash(*_: object) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(incomplete_checks, "give_up", crash)
        with pytest.raises(RuntimeError, match="the power went"):
            plant.watch.look(TIMEOUT)
    assert plant.state().state == "pending"
    assert plant.watch.look(TIMEOUT + 5) == 1
    assert [answer.missing for answer in plant.told()] == [[2, 3], [2, 3]]


def test_a_redis_that_is_away_costs_no_answer(plant: Plant, redis_server: RedisProcess) -> None:
    plant.photograph(1)
    plant.watch.look(0.0)
    redis_server.kill()
    with pytest.raises(RedisAway):
        plant.watch.look(TIMEOUT)
    redis_server.start()
    assert plant.watch.look(TIMEOUT + 5) == 1
    assert len(plant.told()) == 1


def test_several_workers_that_end_it_at_once_do_no_harm(plant: Plant) -> None:
    plant.photograph(1)
    workers = [plant.worker() for _ in range(4)]
    for worker in workers:
        worker.look(0.0)
    together = threading.Barrier(len(workers))

    def look(worker: IncompleteWatch) -> None:
        together.wait(30)
        worker.look(TIMEOUT)

    threads = [threading.Thread(target=look, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert plant.state().missing == (2, 3)
    answers = plant.told()
    assert 1 <= len(answers) <= len(workers)
    assert all(answer == answers[0] for answer in answers)


def test_a_photograph_that_comes_in_between_is_not_given_up_on(plant: Plant) -> None:
    plant.photograph(1)
    with plant.database.reading() as session:
        seen = incomplete_checks.awaited(session)
    plant.photograph(2)
    with plant.database.transaction() as session:
        incomplete_checks.give_up(session, seen)
    assert plant.state().missing == ()
    with plant.database.reading() as session:
        assert incomplete_checks.awaited(session)[plant.check].captures == 2


def test_what_a_late_photograph_makes_of_a_check_is_newer_than_that_it_was_missed(plant: Plant) -> None:
    """Told in whatever order: that a pocket is missing has its revision before the photograph is judged."""
    plant.photograph(1, size=2)
    with plant.database.transaction() as session:
        (missed,) = checks.if_given_up(session, [plant.check])
    plant.photograph(2, size=2)
    with plant.database.transaction() as session:
        (whole,) = checks.finish(session, [plant.check])
    assert (missed.state, whole.state) == ("review", "go")
    assert 0 < missed.revision < whole.revision
    with plant.database.transaction() as session:
        assert checks.finish(session, [plant.check], again=[plant.check]) == [whole], "told again it is the same"


def test_checks_of_long_ago_end_without_a_word(plant: Plant) -> None:
    """As after an upgrade: stations are not flooded with answers about what was broken off last year."""
    old = new_id()
    plant.photograph(1, check_id=old, at=datetime.now(UTC) - timedelta(days=2))
    plant.photograph(1)
    plant.watch.look(0.0)
    assert plant.watch.look(TIMEOUT) == 2
    assert [answer.check_id for answer in plant.told()] == [plant.check]
    assert plant.state(old).state == "review"


def test_a_clock_that_is_set_forward_meanwhile_keeps_no_check_from_being_told(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A computer that starts in an old year has its clock set right in the middle of a check."""
    plant.photograph(1)
    plant.watch.look(0.0)

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=600)

    monkeypatch.setattr("worker.line.incomplete_checks.datetime", Later)
    assert plant.watch.look(TIMEOUT) == 1
    assert [answer.check_id for answer in plant.told()] == [plant.check]


def test_it_looks_by_itself_and_stops(plant: Plant) -> None:
    plant.photograph(1)
    with plant.worker(timeout=0.2):
        wait_until(lambda: plant.told(), what="the check's end")
    assert "incomplete" not in {thread.name for thread in threading.enumerate()}
    assert plant.state().state == "review"


def test_time_counts_from_when_a_worker_first_saw_it() -> None:
    unchanged, one = Unchanged(10.0), new_id()
    before, after = Awaited(1, datetime(2099, 1, 1, tzinfo=UTC)), Awaited(2, datetime(1970, 1, 1, tzinfo=UTC))
    assert unchanged.overdue({one: before}, 5.0) == {}
    assert unchanged.overdue({one: before}, 14.9) == {}
    assert unchanged.overdue({one: before}, 15.0) == {one: before}
    assert unchanged.overdue({one: after}, 16.0) == {}
    assert unchanged.overdue({}, 20.0) == {}
    assert unchanged.overdue({one: after}, 30.0) == {}, "it was not there in between"
