"""Workers and services that are stopped, hang and die under load, one fault at a time; real processes throughout."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from kombu.entity import Queue

from db.line import faults
from producer.contract.event import INSPECT_QUEUE, CaptureEvent, new_id
from producer.delivery.outbox import Outbox
from producer.delivery.redis_client import EventSender
from producer.simulation.head import labelled_images
from producer.station.station import Station
from tests.faults.checker import a_minute_later, account, drain
from tests.faults.services import Postgres, Sqlite
from tests.integration.test_worker_process import Line
from tests.support import RedisProcess, message, wait_until
from worker.broker.app import make_app
from worker.monitoring.heartbeat import read


class Shift:
    """A station at a line, and everything it has submitted."""

    def __init__(self, line: Line):
        self.line = line
        self.outbox = Outbox(line.folder / "outbox.db")
        self.station = Station("station-1", line.images, self.outbox, line.redis_server.url)
        self.submitted: list[UUID] = []
        self._images = [image for image, _ in labelled_images(4, seed=1, size=224)]

    def submit(self, operation: str = "op-1") -> UUID:
        image = self._images[len(self.submitted) % len(self._images)]
        where = {"machine": "m", "head": "h", "operation": operation}
        event = self.station.submit(image, pocket=1, check_id=new_id(), check_size=1, **where)
        self.submitted.append(event.capture_id)
        return event.capture_id

    @contextmanager
    def under_load(self) -> Iterator[None]:
        """Ten captures a second until the block ends, but no more than a slow machine comes to."""
        stop = threading.Event()

        def work() -> None:
            while not stop.wait(0.1):
                if len(self.outbox) < 60:
                    self.submit()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            wait_until(lambda: len(self.submitted) > 5, what="a load")
            yield
        finally:
            stop.set()
            thread.join()

    def answered(self, capture: UUID, within: float) -> bool:
        return bool(self.station.wait_for([capture], within))

    def queued(self) -> int:
        return int(self.line.redis_server.client().llen(INSPECT_QUEUE))  # type: ignore[arg-type]

    def unacknowledged(self) -> int:
        return int(self.line.redis_server.client().hlen("unacked"))  # type: ignore[arg-type]

    def assert_kept(self) -> None:
        left = drain(self.line.redis_server, [self.outbox], 60)
        account(self.line.database.url, self.submitted, left).assert_kept()
        with self.line.database.reading() as session:
            assert faults.search(session, state=None) == [], "a capture was given up"


@pytest.fixture
def at_work(
    tmp_path: Path, redis_server: RedisProcess, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Shift]]:
    """Makes the shift at a line whose database is at the URL it is given, and ends it."""
    shifts: list[Shift] = []

    def begin(database_url: str) -> Shift:
        shifts.append(Shift(Line(tmp_path, redis_server, database_url)))
        shifts[-1].station.__enter__()
        return shifts[-1]

    yield begin
    for shift in shifts:
        shift.station.__exit__()
        shift.outbox.close()
        shift.line.end()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shift, Sqlite]]:
    """A shift whose worker is up, with the database it writes to, for the tests that leave both alive."""
    folder = tmp_path_factory.mktemp("running")
    server = RedisProcess(folder / "redis")
    server.start()
    database = Sqlite(folder)
    shift = Shift(Line(folder, server, database.url))
    with shift.station:
        shift.line.start_and_wait()
        yield shift, database
    shift.outbox.close()
    shift.line.end()
    server.kill()


def test_a_sqlite_that_another_process_locks_for_15_s_is_waited_for(running: tuple[Shift, Sqlite]) -> None:
    shift, database = running
    assert shift.answered(shift.submit(), 60)
    lock = threading.Thread(target=database.fail, args=(15.0,))
    lock.start()
    begun = [shift.submit() for _ in range(20)]
    wait_until(lambda: shift.unacknowledged() >= 2, what="captures in hand")
    lock.join(13)
    assert lock.is_alive()
    assert not shift.station.wait_for(begun[:1], 0)
    # One that is taken between the two looks is in neither; one that was acknowledged never comes back.
    wait_until(lambda: shift.unacknowledged() + shift.queued() >= 20, 1.5, "no acknowledgement without a commit")
    lock.join()
    assert len(shift.station.wait_for(begun, 60)) == 20
    shift.assert_kept()


def test_redis_crashes_ten_times_under_load(running: tuple[Shift, Sqlite]) -> None:
    """Each time the line works again within 10 s; in the meantime the outbox fills, and drains after it."""
    shift, _ = running
    server = shift.line.redis_server
    with shift.under_load():
        for _ in range(10):
            server.kill()
            waiting, submitted = len(shift.outbox), len(shift.submitted)
            wait_until(lambda submitted=submitted: len(shift.submitted) > submitted + 5, what="more captures")
            assert len(shift.outbox) > waiting
            server.start()
            assert shift.answered(shift.submit(), 60), "the line did not work again within 10 s"
    a_minute_later(server)
    shift.assert_kept()


def test_what_is_lost_in_the_fetch_window_is_sent_again(
    at_work: Callable[..., Shift], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis has given the message away, and the worker dies before it notes that it has it (celery#4354)."""
    monkeypatch.setattr("producer.delivery.resend.FIRST_RESEND", 5.0)
    shift = at_work(sqlite_url)
    worker = shift.line.start_and_wait()
    for _ in range(20):  # a fetch may just have ended: the message waits, or the worker has noted it; another is tried
        worker.send_signal(signal.SIGSTOP)
        capture = shift.submit()
        assert shift.station.flush(5)
        if (shift.queued(), shift.unacknowledged()) == (0, 0):
            break
        worker.send_signal(signal.SIGCONT)
        assert shift.answered(capture, 30)
    worker.kill()
    worker.wait()
    assert (shift.queued(), shift.unacknowledged(), len(shift.outbox)) == (0, 0, 1), "the broker has lost it"
    shift.line.start_worker()
    assert shift.answered(capture, 60)
    shift.assert_kept()


def test_a_worker_that_is_killed_at_the_end_of_its_grace_time_loses_nothing(
    at_work: Callable[..., Shift], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.delivery.resend.FIRST_RESEND", 2.0)
    shift = at_work(sqlite_url)
    shift.line.environment["INSERTS_FAILPOINT"] = "judge=op-slow:sleep"
    worker = shift.line.start_and_wait()
    for _ in range(3):
        shift.submit("op-slow")
    heartbeat = shift.line.folder / "run" / "worker.heartbeat"
    wait_until(lambda: read(heartbeat).in_hand >= 2, what="two captures in hand")
    worker.send_signal(signal.SIGTERM)
    wait_until(lambda: read(heartbeat).state == "stopping")
    shift.submit()
    assert worker.poll() is None
    worker.kill()
    worker.wait()
    assert shift.unacknowledged() >= 2
    a_minute_later(shift.line.redis_server)
    del shift.line.environment["INSERTS_FAILPOINT"]
    shift.line.start_worker()
    shift.assert_kept()


def test_a_postgresql_that_hangs_crashes_and_is_away_is_waited_for(at_work: Callable[..., Shift]) -> None:
    if os.environ.get("INSERTS_TEST_POSTGRES") == "off":
        pytest.skip("INSERTS_TEST_POSTGRES=off")
    server = Postgres()
    try:
        shift = at_work(server.url)
        worker = shift.line.start_and_wait()
        with shift.under_load():
            assert shift.answered(shift.submit(), 60)
            with server.hanging():
                begun = [shift.submit() for _ in range(20)]
                wait_until(lambda: shift.unacknowledged() >= 2, what="captures in hand")
                assert not shift.station.wait_for(begun, 2), "an answer without a commit"
                assert shift.unacknowledged() + shift.queued() >= 20, "an acknowledgement without a commit"
                assert len(shift.outbox) >= 20
            assert shift.answered(begun[-1], 60)
            server.fail(4.0)
            assert shift.answered(shift.submit(), 60)
        assert worker.poll() is None
        shift.assert_kept()
        shift.line.database.close()
    finally:
        server.close()


def test_an_acknowledgement_that_redis_never_heard_leaves_the_hand_free(redis_server: RedisProcess) -> None:
    """A hand of one: were the message still counted, the next one would never be fetched."""
    app = make_app(redis_server.url)
    EventSender(redis_server.url).send(CaptureEvent.from_message(message()))
    taken: list[Any] = []
    with app.connection_for_read() as connection, connection.channel() as channel:
        channel.basic_qos(prefetch_count=1)
        with connection.Consumer([Queue(INSPECT_QUEUE)], channel=channel, on_message=taken.append):
            connection.drain_events(timeout=60)
            assert not channel.qos.can_consume()
            redis_server.kill()
            taken[0].ack()
            assert channel.qos.can_consume()
    redis_server.start()
    client = redis_server.client()
    assert client.hlen("unacked") + client.llen(INSPECT_QUEUE) == 1, "it comes again"
