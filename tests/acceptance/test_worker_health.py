"""A worker's life as an operator sees it: waiting, stopping, hanging, and what `insert-worker health` says of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.engine import migrate
from db.engine.url import sqlite_url
from db.line import faults
from producer.contract.event import INSPECT_QUEUE, CaptureEvent
from producer.delivery.redis_client import EventSender
from tests.forked_commands import run_command
from tests.integration.postgres_server import Server, wait_until_ready
from tests.integration.test_worker_process import Line, logged
from tests.metrics_support import scraped
from tests.support import RedisProcess, photograph, stored_event, wait_until
from worker.embedded.redis_server import free_port
from worker.monitoring.heartbeat import Heartbeat, read
from worker.monitoring.watchdog import TOO_SLOW_TO_STOP


def health(line: Line, *options: str) -> tuple[int, dict[str, Any]]:
    done = run_command("insert-worker", "health", "--json", *options, environment=line.environment, timeout=30)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def heartbeat(line: Line) -> Heartbeat:
    return read(line.folder / "run" / "worker.heartbeat")


def send(line: Line) -> CaptureEvent:
    event = stored_event(line.images, photograph())
    EventSender(line.redis_server.url).send(event)
    return event


def queued(line: Line) -> int:
    return int(line.redis_server.client().llen(INSPECT_QUEUE))  # type: ignore[arg-type]


def unacknowledged(line: Line) -> int:
    return int(line.redis_server.client().hlen("unacked"))  # type: ignore[arg-type]


@pytest.fixture
def postgres() -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A PostgreSQL of the test's own, with a migrated database: its folder and its process."""
    if os.environ.get("INSERTS_TEST_POSTGRES") == "off":
        pytest.skip("INSERTS_TEST_POSTGRES=off")
    folder = Path(tempfile.mkdtemp(prefix="inserts-pg-"))  # a short path, for the socket
    server = Server(folder, durable=False).start()
    try:
        wait_until_ready(server, folder)
        with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE line")
        migrate.upgrade(f"postgresql+psycopg://postgres@/line?host={folder}")
        yield folder, server
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(30)
        shutil.rmtree(folder)


def test_it_starts_before_its_services_and_gives_back_what_it_cannot_finish(
    tmp_path: Path, postgres: tuple[Path, subprocess.Popen[bytes]]
) -> None:
    folder, server = postgres
    socket = folder / "reachable"
    redis = RedisProcess(tmp_path / "redis")
    line = Line(tmp_path, redis, f"postgresql+psycopg://postgres@/line?host={socket}")
    port = free_port()
    line.environment["INSERTS_METRICS_PORT"] = str(port)
    assert health(line)[0] == 1
    try:
        worker = line.start_worker()
        wait_until(lambda: "the database is away" in line.log_file.read_text(), 60, "a worker that waits")
        code, beat = health(line)
        assert (code, beat["state"], beat["redis"]) == (0, "starting", False)
        assert beat["pid"] == worker.pid
        told = scraped(port)
        assert (told.value("inserts_redis_up"), told.value("inserts_database_up")) == (0, 0)
        assert (told.value("inserts_queue_captures"), told.value("inserts_recorded_oldest_age_seconds")) == (None, None)
        socket.symlink_to(folder)
        wait_until(lambda: "Redis is away, waiting" in line.log_file.read_text(), 60, "a worker that waits for Redis")
        assert health(line)[0] == 0
        redis.start()
        event = send(line)
        wait_until(lambda: event.capture_id in line.verdicts(), 60, "a verdict")
        wait_until(lambda: heartbeat(line).finished == 1)
        code, beat = health(line)
        assert (code, beat["state"], beat["redis"], beat["in_hand"]) == (0, "ready", True, 0)
        # That they were away is known for some seconds more.
        ups = ("inserts_redis_up", "inserts_database_up")
        wait_until(lambda: [scraped(port).value(name) for name in ups] == [1, 1], what="metrics that know of both")
        assert scraped(port).value("inserts_captures_total", outcome="unsure") == 1

        server.send_signal(signal.SIGQUIT)
        server.wait(30)
        send(line)
        wait_until(lambda: heartbeat(line).in_hand == 1, what="a process that waits")
        assert (queued(line), health(line)[0]) == (0, 0)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0  # past the grace time the watchdog would have ended it with another code
        assert (queued(line), unacknowledged(line)) == (1, 0)
        assert health(line)[0] == 1
        waited = [each for each in logged(line) if each["event"] == "the database is away, waiting"]
        assert 1 <= len(waited) <= 4  # once for each reason and outage, whoever waits and however often
        assert any(each.get("logger", "").startswith("celery") for each in logged(line))
    finally:
        line.end()
        redis.kill()


@pytest.fixture
def line(tmp_path: Path, redis_server: RedisProcess) -> Iterator[Line]:
    url = sqlite_url(tmp_path / "inserts.db")
    migrate.upgrade(url)
    line = Line(tmp_path, redis_server, url)
    line.environment["INSERTS_PROCESSES"] = "4"
    yield line
    line.end()


def locked_database(line: Line) -> sqlite3.Connection:
    """A database in which nobody else can write until this connection is closed."""
    connection = sqlite3.connect(line.folder / "inserts.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def test_told_to_stop_it_finishes_what_it_holds_and_takes_nothing_new(line: Line) -> None:
    worker = line.start_and_wait()
    lock = locked_database(line)
    sent = {send(line).capture_id for _ in range(4)}
    wait_until(lambda: heartbeat(line).in_hand == 4, what="four captures in hand")
    worker.send_signal(signal.SIGTERM)
    wait_until(lambda: heartbeat(line).state == "stopping")
    # Celery's loop looks at its orders once a second.
    heard = time.monotonic() + 3
    wait_until(lambda: time.monotonic() > heard)
    send(line)
    assert worker.poll() is None
    lock.close()
    assert worker.wait(30) == 0  # past the grace time the watchdog would have ended it with another code
    assert line.verdicts().keys() == sent
    assert (queued(line), unacknowledged(line)) == (1, 0)


def test_a_judgement_that_hangs_ends_its_process_and_the_worker_goes_on(line: Line) -> None:
    line.environment |= {
        "INSERTS_PROCESSES": "2",
        "INSERTS_JUDGE_TIMEOUT": "3",
        "INSERTS_GRACE": "0.5",
        "INSERTS_FAILPOINT": "judge=op-slow:sleep",
    }
    worker = line.start_and_wait()
    slow = stored_event(line.images, photograph(), operation="op-slow")
    EventSender(line.redis_server.url).send(slow)
    wait_until(lambda: (heartbeat(line).in_hand_seconds or 0) > 1, what="a judgement that hangs")
    assert health(line)[1]["processes"] == 2
    beside = [send(line) for _ in range(5)]
    wait_until(lambda: {event.capture_id for event in beside} == line.verdicts().keys(), 10, "the verdicts beside it")
    wait_until(lambda: heartbeat(line).finished == 6, 60, "the end of it, after three attempts")
    with line.database.reading() as session:
        (fault,) = faults.search(session)
    assert (fault.reason, fault.capture_id) == ("crashed", slow.capture_id)
    assert worker.poll() is None
    said = line.log_file.read_text()
    assert said.count("exited with 'signal 14 (SIGALRM)'") == 3
    assert "in failpoint" in said, "where it hung"
    assert (queued(line), unacknowledged(line)) == (0, 0)

    EventSender(line.redis_server.url).send(stored_event(line.images, photograph(), operation="op-slow"))
    wait_until(lambda: heartbeat(line).in_hand == 1, what="one more in hand")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == TOO_SLOW_TO_STOP
    # The file it left says when it was alive last.
    wait_until(lambda: health(line, "--max-age", "0.5")[0] == 1, what="a heartbeat that is too old")
