"""What a system shows is vouched for by an unbroken reading of the line alone, whatever breaks it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from producer.connect.configuration.connector_file import ConnectorFile, MqttSink
from producer.connect.connector import Connector
from producer.connect.connector_problems import current_states
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.insert_change_outbox import InsertChangeOutbox
from producer.connect.sinks.last_answers import LastAnswers
from producer.connect.stream_freshness import StreamFreshness
from producer.contract.answers import STREAM_FIELD, CheckAnswer
from producer.contract.event import new_id
from producer.contract.plant_event import PLANT_STREAM, STATION_FIELD
from producer.contract.plant_news import Restored
from producer.contract.vocabulary import CheckState
from producer.delivery.stream_reader import StreamReader
from tests.integration.plant import check, verdict
from tests.support import RedisProcess, wait_until
from worker.embedded.redis_server import free_port
from worker.line.notifier import Notifier


def broker(*machines: str) -> MqttSink:
    """A broker that is away, so that what it is to show stays to be seen."""
    return MqttSink(url=f"mqtt://127.0.0.1:{free_port()}", machines=machines or None)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DeliveryLog]:
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log:
        yield log


@contextmanager
def reading(server: RedisProcess, log: DeliveryLog, **sinks: MqttSink) -> Iterator[StreamFreshness]:
    """A connector that reads the line to its end, and then for as long as the block takes."""
    stop = threading.Event()
    with closing(InsertChangeOutbox(log.path.parent)) as changes:
        connector = Connector(ConnectorFile(site="p", mqtt=sinks), server.url, log, changes)
        running = threading.Thread(target=connector.run, args=(stop,))
        running.start()
        try:
            wait_until(lambda: connector._freshness.spell is not None)
            yield connector._freshness
            wait_until(lambda: log.note("position") == connector._reader.newest())
        finally:
            stop.set()
            running.join()


def say(line: Notifier, *answers: CheckAnswer) -> None:
    line.send([("station-1", answer) for answer in answers])


def then(run: CheckAnswer, state: CheckState) -> CheckAnswer:
    return run.model_copy(update={"state": state, "replace": [1] if state == "replace" else []})


def shows(log: DeliveryLog, sink: str = "broker") -> dict[str, str]:
    """What a sink is to show of each head."""
    kept = [event.data for _, event in LastAnswers(log, sink).kept]
    return {answer.head: answer.state for answer in kept if isinstance(answer, CheckAnswer)}


def heads(*names: str) -> Sequence[CheckAnswer]:
    return [check(head=name) for name in names]


def test_a_system_that_was_not_in_the_file_shows_what_was_said_meanwhile(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier
) -> None:
    known, gone = heads("H12", "H13")
    shown, other = broker(), broker()
    with reading(redis_server, log, broker=shown, mes=other):
        say(line, gone, known)
    assert shows(log) == {"H12": "go", "H13": "go"}
    with reading(redis_server, log, mes=other):
        say(line, then(known, "replace"))
    redis_server.client().xtrim(
        PLANT_STREAM, maxlen=1, approximate=False
    )  # of the other head nothing can be known any more
    with reading(redis_server, log, broker=shown, mes=other):
        assert shows(log) == {"H12": "replace"}
        # The line says again what it said before: it holds now, and is told once more under its id.
        say(line, gone)
    assert shows(log) == {"H12": "replace", "H13": "go"}
    with reading(redis_server, log, broker=shown, mes=other):  # as it was: nothing begins anew
        assert shows(log) == {"H12": "replace", "H13": "go"}
    assert len({one.event.id for one in log.latest("broker", None, 9)}) == len(log.latest("broker", None, 9)) == 2


def test_a_system_that_is_configured_in_another_way_is_not_believed(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier
) -> None:
    ours, others = check(), check(machine="mill-2", head="H20")
    with reading(redis_server, log, broker=broker()):
        say(line, ours, others)
    redis_server.client().delete(PLANT_STREAM)
    say(line, then(ours, "review"))
    with reading(redis_server, log, broker=broker("mill-1")):
        pass
    assert shows(log) == {"H12": "review"}


def test_a_connector_that_could_not_keep_where_it_began_begins_anew(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, keep = check(), log.keep

    def full_once(*arguments: Any, **more: Any) -> None:
        if "position" in arguments[1]:
            monkeypatch.undo()
            say(line, then(run, "replace"))
            raise sqlite3.OperationalError("database or disk is full")
        keep(*arguments, **more)

    say(line, run)
    monkeypatch.setattr(log, "keep", full_once)
    with reading(redis_server, log, broker=broker()):
        assert shows(log) == {"H12": "replace"}


@pytest.mark.parametrize("wiped", [True, False], ids=["by a Redis that is empty", "by a stream that keeps too few"])
def test_what_waits_from_before_a_break_is_told_and_is_no_state(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier, wiped: bool
) -> None:
    run, other = heads("H12", "H13")
    shown = broker()
    with reading(redis_server, log, broker=shown):
        say(line, run)
    say(line, then(run, "replace"), other)
    if wiped:
        redis_server.client().flushall()
        redis_server.seem_looked_for()
        say(line, other)
    else:
        redis_server.client().xtrim(PLANT_STREAM, maxlen=1, approximate=False)
    with reading(redis_server, log, broker=shown):
        pass
    assert shows(log) == {"H13": "go"}
    assert [one.event.subject for one in log.due("broker", 2e9, 9)] == ["mill-1/H12", "mill-1/H13"]


@pytest.mark.parametrize("spoke", [True, False], ids=["the line spoke before we looked", "the line is silent"])
def test_a_redis_that_comes_back_from_an_older_file_is_not_believed(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier, spoke: bool
) -> None:
    run, other, third = heads("H12", "H13", "H14")
    shown, client = broker(), redis.Redis.from_url(redis_server.url, protocol=2)
    with reading(redis_server, log, broker=shown):
        say(line, run)
        saved = client.dump(PLANT_STREAM) or b""
        say(line, other)
    say(line, then(run, "replace"))
    client.restore(PLANT_STREAM, 0, saved, replace=True)
    if spoke:
        say(line, third)
    with reading(redis_server, log, broker=shown):
        assert shows(log) == ({"H14": "go"} if spoke else {})
        assert len(log.latest("broker", None, 9)) == 2 + spoke, "what is read again is not told again"
    with reading(redis_server, log, broker=shown, other=broker()):
        assert shows(log, "other") == shows(log) == ({"H14": "go"} if spoke else {})
        say(line, then(run, "review"))
    assert shows(log) == {"H12": "review"} | ({"H14": "go"} if spoke else {})


@pytest.mark.parametrize("runs", [True, False], ids=["while we read", "while we are stopped"])
def test_a_redis_that_is_started_anew_is_not_believed_though_it_has_what_we_read_last(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier, tmp_path: Path, runs: bool
) -> None:
    run, other = heads("H12", "H13")
    shown, saved = broker(), tmp_path / "saved"
    folder = tmp_path / "redis-of-the-test" / "redis"

    def starts_anew(said: CheckAnswer) -> None:
        """It comes back from a file of before that answer."""
        shutil.copytree(folder, saved)
        say(line, said)
        redis_server.kill()
        shutil.rmtree(folder)
        shutil.copytree(saved, folder)
        redis_server.start()

    with reading(redis_server, log, broker=shown):
        say(line, run)
        if runs:
            wait_until(lambda: shows(log) == {"H12": "go"})
            starts_anew(run)  # not another answer, so that nothing is to be read
            wait_until(lambda: shows(log) == {})
    if not runs:
        assert shows(log) == {"H12": "go"}
        starts_anew(then(run, "replace"))
    with reading(redis_server, log, broker=shown):
        assert shows(log) == {}
        say(line, other)
    with reading(redis_server, log, broker=shown):  # as it was: nothing begins anew
        assert shows(log) == {"H13": "go"}
    assert [one.event.subject for one in log.due("broker", 2e9, 9)] == ["mill-1/H12", "mill-1/H13"]


def test_a_connector_that_is_slower_than_the_stream_is_cut_says_so(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = heads("H12", "H13")
    client, read = redis_server.client(), Connector._keep
    held, goes_on = threading.Event(), threading.Event()

    def held_up(*arguments: Any) -> None:
        read(*arguments)
        if not held.is_set():
            held.set()
            assert goes_on.wait(30)

    monkeypatch.setattr(Connector, "_keep", held_up)
    with capture_logs() as logs, reading(redis_server, log, broker=broker()):
        say(line, run)
        assert held.wait(30)
        say(line, then(run, "replace"), other)
        client.xtrim(PLANT_STREAM, maxlen=1, approximate=False)
        goes_on.set()
    assert shows(log) == {"H13": "go"}
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == [
        "the stream lacks what came after the last answer that was read",
        "what was said and not read is in the database alone: heads have no state until their next answer",
    ]


def test_an_answer_that_is_not_understood_may_overtake_what_is_shown(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier
) -> None:
    run, client = check(), redis_server.client()

    def add(text: str, entry_id: str = "*") -> None:
        client.xadd(PLANT_STREAM, {STREAM_FIELD: text, STATION_FIELD: "station-1"}, entry_id)

    newer = json.dumps(then(run, "replace").model_dump(mode="json") | {"schema_version": 99})
    shown = broker()
    with reading(redis_server, log, broker=shown):
        say(line, run)
        add('{"kind":"weather","schema_version":1}')  # of workers that say more than we know
    assert shows(log) == {"H12": "go"}
    with reading(redis_server, log, broker=shown) as freshness:
        spell = freshness.spell
        add(newer)
        wait_until(lambda: shows(log) == {})
        wait_until(lambda: freshness.spell not in (None, spell), what="a spell in which it is not shown")
        wait_until(lambda: "not understood" in str([state.problem for state in current_states(log)]))
        say(line, then(run, "review"))
    assert shows(log) == {"H12": "review"}
    with reading(redis_server, log, broker=shown):
        add(run.model_dump_json(), "99999999999999999-1")  # in the year 3170843
    assert shows(log) == {}


def restored() -> Restored:
    return Restored(restore_id=new_id(), at=datetime.now(UTC), made_at=datetime.now(UTC) - timedelta(days=1))


def test_nothing_is_a_state_that_was_said_before_a_backup_was_restored(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier
) -> None:
    """Read in one piece, and said by two workers. Behind it counts what is said, whatever the numbers of before."""
    lost, *others = heads("H12", "H13", "H14")
    known, kept = (one.model_copy(update={"revision": 900}) for one in others)
    news, shown = restored(), broker()
    with reading(redis_server, log, broker=shown):
        say(line, lost, known, kept)
    assert shows(log) == {"H12": "go", "H13": "go", "H14": "go"}
    line.emit([news])
    say(line, then(known, "review").model_copy(update={"revision": 5}), kept.model_copy(update={"revision": 5}))
    line.emit([news])
    with reading(redis_server, log, broker=shown) as freshness:
        spell = freshness.spell
        assert shows(log) == {"H13": "review", "H14": "go"}
        line.emit([news])
        wait_until(lambda: log.note("position") == StreamReader(redis_server.url, PLANT_STREAM, "0-0").newest())
        assert (shows(log), freshness.spell) == ({"H13": "review", "H14": "go"}, spell), "it was said before"
        line.emit([restored()])
        wait_until(lambda: shows(log) == {} and freshness.spell not in (None, spell))  # each system is reached anew
    events = [one.event for one in log.latest("broker", None, 99)]
    assert [event.type for event in events].count("inserts.restored") == 2, "each is told once"
    assert len({event.id for event in events if event.subject == "mill-1/H14"}) == 2, "said again, it is another event"


def test_a_system_that_is_new_is_shown_nothing_of_before_a_restore(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier
) -> None:
    lost, seen = heads("H12", "H13")
    say(line, lost)
    news = restored()
    for answers in ([news], [], [news]):
        line.emit(answers)
        say(line, *([] if answers else [seen]))
    with reading(redis_server, log, broker=broker()):
        assert shows(log) == {"H13": "go"}
        line.emit([news])
        wait_until(lambda: log.note("position") == StreamReader(redis_server.url, PLANT_STREAM, "0-0").newest())
        assert shows(log) == {"H13": "go"}


def test_a_redis_that_became_a_replica_is_not_heard(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.connect.stream_freshness.VOUCHED_FOR", 2.0)
    client = redis_server.client()
    try:
        with reading(redis_server, log, broker=broker()) as freshness:
            client.replicaof("127.0.0.1", "1")
            wait_until(lambda: freshness.spell is None, what="a line that is not heard")
            assert "to its master" in str([state.problem for state in current_states(log)])
            client.replicaof("NO", "ONE")
            wait_until(lambda: freshness.spell is not None)
    finally:
        client.replicaof("NO", "ONE")


def test_a_disk_that_fails_for_a_moment_costs_no_answer(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.connect.connector.LONGEST_PAUSE", 0.1)
    failures: list[str] = []

    def failing(name: str) -> None:
        works = getattr(log, name)

        def fails(*arguments: object) -> object:
            if failures:
                failures.pop()
                raise sqlite3.OperationalError("disk I/O error")
            return works(*arguments)

        monkeypatch.setattr(log, name, fails)

    with reading(redis_server, log, broker=broker()):
        for name in ("with_event_ids", "note"):
            failing(name)
        said = [verdict(pocket) for pocket in range(1, 9)]
        for answer in said:
            failures.extend(["with_event_ids", "note"])
            line.send([("station-1", answer)])
            wait_until(lambda: not failures)
        del failures[:]
        wait_until(lambda: len(log.latest("broker", "waiting", 99)) == len(said), what="all that was said")


def test_the_oldest_that_are_dropped_leave_nothing_of_before_them_as_a_state(
    redis_server: RedisProcess, log: DeliveryLog, line: Notifier
) -> None:
    run, other = heads("H12", "H13")
    with reading(redis_server, log, broker=broker()):
        say(line, run)
        wait_until(lambda: len(log.due("broker", 2e9, 9)) == 1)
        [told] = log.due("broker", 2e9, 9)
        log.delivered("broker", [told], 1.0, LastAnswers(log, "broker").remember(told).kept)
        say(line, then(run, "replace"), other)
    assert log.forget_oldest(1) == {"broker": 1}
    assert shows(log) == {"H13": "go"}
