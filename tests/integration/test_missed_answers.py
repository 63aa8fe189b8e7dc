"""What Redis may have lost is sent again from the database, and what the systems show holds; on both engines."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from db.engine.database import Database
from db.learning import reviews
from db.line import checks, restored_checks, restores
from db.people import audited_insert_changes
from db.queries import plant_news
from db.queries.missed_answers import answers_since
from producer.connect.connector_problems import current_states
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.contract.answers import STREAM_FIELD, CheckAnswer, VerdictAnswer
from producer.contract.connector_report import CONNECTORS
from producer.contract.event import new_id
from producer.contract.missed_answers import MissedAnswersRequest
from producer.contract.plant_event import PLANT_STREAM
from producer.contract.plant_news import Hold
from tests.integration.test_connect_readings import broker, reading, shows
from tests.integration.test_incomplete import Plant
from tests.support import RedisProcess, wait_until
from worker.line.mapping import check_answer
from worker.line.missed_answers import MissedAnswersWatch
from worker.line.notifier import Notifier
from worker.line.plant_news import PlantNewsWatch

SHOWN = broker()


@pytest.fixture
def plant(database: Database, redis_server: RedisProcess) -> Plant:
    return Plant(database, redis_server)


@pytest.fixture
def watch(plant: Plant, redis_server: RedisProcess) -> MissedAnswersWatch:
    return MissedAnswersWatch(plant.database, redis_server.url, plant.notifier)


@pytest.fixture
def log(tmp_path: Path, redis_server: RedisProcess) -> Iterator[DeliveryLog]:
    """The log of a connector that has told for long."""
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        with reading(redis_server, log, broker=SHOWN):
            pass
        log.keep({}, {"all known since": "0"})
        yield log


def run(plant: Plant, head: str) -> UUID:
    """A run of a head of three pockets, all intact, its answer written and told."""
    check_id = new_id()
    for pocket in (1, 2, 3):
        plant.photograph(pocket, head=head, check_id=check_id, image_sha256=2 * new_id().hex)
    tell(plant, check_id)
    return check_id


def write(plant: Plant, check_id: UUID) -> checks.Check:
    with plant.database.transaction() as session:
        [check] = checks.finish(session, [check_id])
    return check


def tell(plant: Plant, check_id: UUID) -> None:
    plant.notifier.send([("station-1", check_answer(write(plant, check_id)))])


@contextmanager
def showing_two_heads(plant: Plant, log: DeliveryLog, redis_server: RedisProcess) -> Iterator[tuple[UUID, UUID]]:
    """A connector that shows two heads, and goes on reading."""
    with reading(redis_server, log, broker=SHOWN) as freshness:
        runs = run(plant, "H12"), run(plant, "H13")
        wait_until(lambda: shows(log) == {"H12": "go", "H13": "go"}, what="two heads")
        yield runs
        wait_until(lambda: freshness.spell is not None, what="a line that is heard again")


def is_asked(plant: Plant) -> bool:
    return any(MissedAnswersRequest.read(text) for text in plant.redis.hvals(CONNECTORS))


@pytest.mark.parametrize("emptied", [False, True], ids=["with its data", "empty"])
def test_after_a_start_of_redis_a_worker_says_what_it_lost_and_the_other_states_hold(
    plant: Plant, watch: MissedAnswersWatch, log: DeliveryLog, redis_server: RedisProcess, tmp_path: Path, emptied: bool
) -> None:
    with showing_two_heads(plant, log, redis_server) as (damaged, _):
        plant.photograph(2, "damaged", head="H12", check_id=damaged, image_sha256="e" * 64)
        write(plant, damaged)  # and told, but Redis has lost it
        redis_server.kill()
        if emptied:
            shutil.rmtree(tmp_path / "redis-of-the-test" / "redis" / "appendonlydir")
        redis_server.start()
        wait_until(lambda: is_asked(plant), what="a request")
        assert "asked to send them again" in str([state.problem for state in current_states(log)])
        watch.turn()
        watch.turn()  # another worker finds it taken
        wait_until(lambda: not is_asked(plant), what="a connector that has what it asked for")
    assert shows(log) == {"H12": "replace", "H13": "go"}
    events = [one.event for one in log.latest("broker", None, 99)]
    answers = [event.data.state for event in events if isinstance(event.data, CheckAnswer)]
    assert answers == ["replace", "go", "go"], "what was not lost is told once"
    assert [event.data.pocket for event in events if isinstance(event.data, VerdictAnswer)].count(2) == 3


@pytest.mark.parametrize("hours", [1, 24 * 365], ids=["an hour", "a year"])
def test_a_stream_whose_ids_are_ahead_hides_nothing_that_was_lost(
    plant: Plant, watch: MissedAnswersWatch, log: DeliveryLog, redis_server: RedisProcess, hours: int
) -> None:
    """The clock of its computer was ahead and was set right: ids never go back."""
    ahead = int((time.time() + hours * 3600) * 1000)
    plant.redis.xadd(PLANT_STREAM, {STREAM_FIELD: '{"kind": "none"}', "station": ""}, id=f"{ahead}-0")
    with showing_two_heads(plant, log, redis_server) as (damaged, _):
        plant.photograph(2, "damaged", head="H12", check_id=damaged, image_sha256="e" * 64)
        write(plant, damaged)  # and told, but Redis has lost it
        redis_server.kill()
        redis_server.start()
        wait_until(lambda: is_asked(plant), what="a request")
        watch.turn()
        wait_until(lambda: not is_asked(plant), what="a connector that has what it asked for")
    assert shows(log) == {"H12": "replace", "H13": "go"}


@pytest.mark.parametrize("why", ["no worker answers", "it is too much", "the stream is short", "a clock is behind"])
def test_where_they_are_not_sent_again_no_state_is_believed(
    plant: Plant,
    watch: MissedAnswersWatch,
    log: DeliveryLog,
    redis_server: RedisProcess,
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    answered = why != "no worker answers"
    if why == "it is too much":
        monkeypatch.setattr("db.queries.missed_answers.AT_MOST", 5)
    elif why == "the stream is short":
        watch = MissedAnswersWatch(plant.database, redis_server.url, Notifier(redis_server.url, plant_length=5))
    elif answered:
        behind = timedelta(minutes=20)
        monkeypatch.setattr("worker.line.missed_answers.clock.of_database", lambda _: datetime.now(UTC) - behind)
    else:
        monkeypatch.setattr("producer.connect.missed_answers.ANSWERED_WITHIN", 0.1)
    with showing_two_heads(plant, log, redis_server):
        redis_server.kill()
        redis_server.start()
        if answered:
            wait_until(lambda: is_asked(plant), what="a request")
            watch.turn()
        wait_until(lambda: shows(log) == {})
    assert not is_asked(plant)
    with reading(redis_server, log, broker=SHOWN):
        run(plant, "H14")
        wait_until(lambda: shows(log) == {"H14": "go"})
        redis_server.kill()
        redis_server.start()  # so soon after that what is sent again might be older than what is shown
        wait_until(lambda: shows(log) == {})
        assert not is_asked(plant)


def test_a_restore_that_redis_has_lost_is_sent_again(
    plant: Plant, watch: MissedAnswersWatch, log: DeliveryLog, redis_server: RedisProcess
) -> None:
    news = PlantNewsWatch(plant.database, plant.notifier)
    with showing_two_heads(plant, log, redis_server):
        with plant.database.transaction() as session:
            restores.record(session, at=datetime.now(UTC), file="a.sqlite", made_at=datetime.now(UTC).isoformat())
            restored_checks.doubt(session)
        redis_server.kill()  # it was told, but Redis has lost it
        with plant.database.transaction() as session:
            plant_news.note(session, plant_news.untold(session))
        redis_server.start()
        wait_until(lambda: is_asked(plant), what="a request")
        watch.turn()
        wait_until(lambda: not is_asked(plant), what="a connector that has what it asked for")
        news.turn()
    told = [one.event.kind for one in log.latest("broker", None, 99)]
    assert told.count("restored") == 1
    assert shows(log) == {"H12": "review", "H13": "review"}


def test_a_changed_insert_is_sent_again_and_takes_the_go(
    plant: Plant, watch: MissedAnswersWatch, log: DeliveryLog, redis_server: RedisProcess
) -> None:
    with showing_two_heads(plant, log, redis_server):
        with plant.database.transaction() as session:
            audited_insert_changes.record(session, "mill-3", "H13", 2, by="ana", at=datetime.now(UTC), first=None)
        redis_server.kill()
        redis_server.start()
        wait_until(lambda: is_asked(plant), what="a request")
        watch.turn()
        wait_until(lambda: not is_asked(plant), what="a connector that has what it asked for")
    assert shows(log) == {"H12": "go"}


def test_a_label_that_no_check_tells_is_sent_again_unless_a_newer_photograph_shows_the_insert(plant: Plant) -> None:
    begun = datetime.now(UTC)
    checked, seen = (plant.photograph(pocket, size=4) for pocket in (1, 2))  # of a check that is pending
    for capture in (checked, seen):
        with plant.database.transaction() as session:
            reviews.add(session, capture_id=capture.capture_id, label="worn", by="ana", at=datetime.now(UTC))
    plant.photograph(2, size=1, check_id=new_id(), image_sha256="f" * 64)
    with plant.database.reading() as session:
        said = answers_since(session, begun)
        assert said is not None
        assert [one.capture_id for one in said.labels] == [checked.capture_id]
        later = answers_since(session, datetime.now(UTC) + timedelta(seconds=2))
        assert later is not None
        assert not any((later.verdicts, later.labels, later.checks))
        assert {(type(one), one.check_id) for one in later.news} == {(Hold, plant.check)}, "as long as it holds"
