"""Two judging processes of a real worker answer one check, the one with the older photograph after the other."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from uuid import UUID

import pytest

from producer.contract.answers import STREAM_FIELD, CheckAnswer, stream_of
from producer.contract.event import new_id
from producer.contract.plant_event import PLANT_STREAM
from producer.contract.plant_news import PLANT_ANSWERS
from producer.delivery.outbox import Outbox
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.acceptance.test_standalone import head
from tests.forked_commands import run_command, start_command
from tests.support import RedisProcess, wait_until
from worker.monitoring.heartbeat import read

ANSWER = STREAM_FIELD.decode()


@pytest.fixture
def line(trained: Path, redis_server: RedisProcess, tmp_path: Path) -> Iterator[tuple[Station, Path, dict[str, str]]]:
    """A station of a line whose worker has two judging processes; the worker's log, and what tells commands of it."""
    data, log = tmp_path / "line", tmp_path / "worker.log"
    shutil.copytree(trained, data)
    environment = os.environ | {"INSERTS_DATA": str(data), "INSERTS_REDIS_URL": redis_server.url}
    with ExitStack() as parts:
        command = ("insert-worker", "run", "--ready-file", str(tmp_path / "ready"))
        worker = start_command(*command, environment=environment | {"INSERTS_PROCESSES": "2"}, log=log)
        parts.callback(worker.wait, 40)
        parts.callback(worker.kill)
        wait_until((tmp_path / "ready").exists, 60, "a ready worker")
        outbox = Outbox(tmp_path / "outbox.db")
        parts.callback(outbox.close)
        station = Station("station-1", FolderStore(data / "images"), outbox, redis_server.url)
        yield parts.enter_context(station), log, environment


def test_the_older_answer_of_a_check_that_is_told_last_is_known_as_older(
    line: tuple[Station, Path, dict[str, str]], redis_server: RedisProcess, tmp_path: Path
) -> None:
    station, log, environment = line
    data = Path(environment["INSERTS_DATA"])
    photographs = head(tmp_path / "photographs", ("intact", "intact", "broken"))
    redis = redis_server.client()
    check = new_id()

    def submit(number: int, pocket: int) -> UUID:
        image = (photographs / f"{number}.jpg").read_bytes()
        where = {"machine": "mill-1", "head": "H1", "operation": "op-1", "pocket": pocket}
        return station.submit(image, check_id=check, check_size=2, **where).capture_id

    def in_hand() -> int:
        return read(data / "run" / "worker.heartbeat").in_hand

    def waits() -> int:
        return log.read_text().count("Redis is away, waiting")

    def of_plant() -> list[CheckAnswer]:
        answers = [PLANT_ANSWERS.validate_json(entry[ANSWER]) for _, entry in redis.xrange(PLANT_STREAM)]
        return [answer for answer in answers if isinstance(answer, CheckAnswer)]

    assert station.wait_for([submit(1, 2)], 60), log.read_text()
    wait_until(lambda: redis.hlen("unacked") == 0, 30, "the end of the first message")
    with closing(sqlite3.connect(data / "inserts.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        first = submit(2, 1)
        wait_until(in_hand, 30, "a process that judges the first photograph")
        redis.config_set("min-replicas-to-write", 1)
        holder.execute("ROLLBACK")
    wait_until(lambda: _verdicts(environment) == 2, 30, "its verdict in the database")
    wait_until(waits, 30, "a process that cannot tell it")
    assert not station.wait_for([first], 3), "so its next attempt is seconds away"
    redis.config_set("min-replicas-to-write", 0)
    anew = submit(3, 1)
    assert station.wait_for([anew], 60), log.read_text()
    assert station.wait_for([first], 60), log.read_text()
    told = [entry[ANSWER] for _, entry in redis.xrange(stream_of("station-1"))]
    places = [next(n for n, text in enumerate(told) if str(capture) in text) for capture in (anew, first)]
    assert places == sorted(places), "the first photograph was told of after the second one"
    wait_until(lambda: len(station.wait_for([check], 1)) == 1, 30)
    kept = station.wait_for([check], 0)[check].answer
    assert isinstance(kept, CheckAnswer)
    newest = max(of_plant(), key=lambda answer: answer.revision)
    assert kept.state == newest.state == "replace", of_plant()
    assert kept.revision == newest.revision
    assert newest.begun_at is not None


def _verdicts(environment: dict[str, str]) -> int:
    return run_command("insert-db", "verdicts", "--json", environment=environment).stdout.count('"capture_id"')
