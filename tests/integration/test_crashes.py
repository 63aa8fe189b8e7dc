"""Processes of real workers, and whole workers, that die at the worst moments."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from db.line import attempts, faults, verdicts
from producer.contract.event import INSPECT_QUEUE, CaptureEvent, new_id
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from tests.faults.checker import a_minute_later
from tests.integration.test_worker_process import Line
from tests.support import RedisProcess, photograph, stored_event, wait_until
from worker.broker.messages import celery_message
from worker.line.attempts import MAX_ATTEMPTS


@pytest.fixture
def line(
    tmp_path: Path, redis_server: RedisProcess, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Line]:
    monkeypatch.setattr("producer.delivery.resend.FIRST_RESEND", 0.5)
    monkeypatch.setattr("producer.delivery.resend.LAST_RESEND", 2.0)
    line = Line(tmp_path, redis_server, sqlite_url)
    yield line
    line.end()


def submit(station: Station, image: bytes, operation: str = "op-1") -> UUID:
    return station.submit(
        image, machine="m", head="h", pocket=1, operation=operation, check_id=new_id(), check_size=1
    ).capture_id


@contextmanager
def station_at(line: Line) -> Iterator[Station]:
    outbox = Outbox(line.folder / "outbox.db")
    with Station("s", line.images, outbox, line.redis_server.url) as station:
        yield station
        wait_until(lambda: len(outbox) == 0, what="an empty outbox")
    outbox.close()


def processes_of(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(worker.pid).children()


def deaths(line: Line) -> int:
    return line.log_file.read_text().count(": WorkerLostError")


def send_group(line: Line, events: list[CaptureEvent]) -> None:
    """One message of them all."""
    carried = json.dumps([event.message() for event in events])
    line.redis_server.client().lpush(INSPECT_QUEUE, celery_message(carried, str(new_id())))


def under_way(line: Line) -> tuple[int, int]:
    client = line.redis_server.client()
    return client.llen(INSPECT_QUEUE), client.hlen("unacked")  # type: ignore[return-value]


@pytest.mark.parametrize("place", ["before-commit", "before-notify", "before-ack"])
def test_a_crash_between_two_steps_leaves_one_verdict(line: Line, place: str) -> None:
    """The process that has it in hand dies each time, until the next worker, which has no failpoint."""
    line.environment["INSERTS_FAILPOINT"] = f"{place}:exit"
    worker = line.start_and_wait()
    with station_at(line) as station:
        capture = submit(station, next(labelled_images(1, seed=1, size=256))[0])
        wait_until(lambda: deaths(line) > 0, 60, "the death of a process")
        assert worker.poll() is None, "only a process of it"
        worker.kill()
        worker.wait()
        del line.environment["INSERTS_FAILPOINT"]
        line.start_and_wait()
        a_minute_later(line.redis_server)
        # Before the commit it may have died three times; then it is a fault, which is an end as well.
        ended = station.wait_for([capture], 60)[capture].answer
        assert ended.kind == "verdict" or place == "before-commit"
        wait_until(lambda: under_way(line) == (0, 0), what="an empty queue")
    with line.database.reading() as session:
        assert verdicts.count(session) + len(faults.search(session)) == 1


def test_a_capture_that_kills_its_process_is_a_fault_and_its_neighbours_are_judged(line: Line) -> None:
    """In one message with seven others, on a worker that stays up, with another process beside."""
    line.environment["INSERTS_FAILPOINT"] = "judge=op-poison:exit"
    worker = line.start_and_wait()
    first = {child.pid for child in processes_of(worker)}
    images = [image for image, _ in labelled_images(9, seed=1, size=256)]
    group = [
        stored_event(line.images, image, operation="op-poison" if number == 3 else "op", pocket=number + 1)
        for number, image in enumerate(images)
    ]
    poison = group[3].capture_id
    send_group(line, group)
    beside = stored_event(line.images, images[0])
    send_group(line, [beside])
    good = {event.capture_id for event in group} - {poison} | {beside.capture_id}

    def ended() -> list[tuple[str, UUID | None]]:
        with line.database.reading() as session:
            return [(fault.reason, fault.capture_id) for fault in faults.search(session)]

    # Not the queue alone: what the worker has just taken from it is nowhere in Redis for a moment.
    wait_until(lambda: ended() and line.verdicts().keys() == good and under_way(line) == (0, 0), 60, "all ended")
    assert ended() == [("crashed", poison)]
    with line.database.reading() as session:
        assert verdicts.count(session) == 9
    assert deaths(line) == MAX_ATTEMPTS
    assert worker.poll() is None
    wait_until(lambda: len(processes_of(worker)) == 2, what="two processes again")
    assert len({child.pid for child in processes_of(worker)} - first) <= MAX_ATTEMPTS


def test_a_process_that_is_killed_costs_no_capture_and_no_other_process(line: Line) -> None:
    worker = line.start_and_wait()
    images = [image for image, _ in labelled_images(4, seed=1, size=256)]
    with station_at(line) as station:
        submitted = []
        for number in range(40):
            submitted.append(submit(station, images[number % 4]))
            if number in (5, 15, 25):
                (victim, *_) = processes_of(worker)
                victim.kill()
        assert len(station.wait_for(submitted, 60)) == 40
        wait_until(lambda: under_way(line) == (0, 0), what="an empty queue")
    assert worker.poll() is None
    assert line.verdicts().keys() == set(submitted)
    with line.database.reading() as session:
        assert verdicts.count(session) == 40
        assert faults.search(session, state=None) == []


def test_what_is_in_hand_elsewhere_is_not_judged_twice(line: Line) -> None:
    """Copies of a message use up nobody's attempts: here ten of a capture whose judgement takes seconds."""
    line.environment["INSERTS_FAILPOINT"] = "judge=op-slow:sleep"
    line.environment["INSERTS_JUDGE_TIMEOUT"] = "6"
    line.start_and_wait()
    slow = stored_event(line.images, photograph(), operation="op-slow")
    for _ in range(10):
        send_group(line, [slow])

    def tried() -> int:
        with line.database.reading() as session:
            return attempts.of(session, slow.capture_id)

    wait_until(lambda: under_way(line) == (0, 1) and tried() == 1, 30, "one of them in hand, and no other")
    another = stored_event(line.images, photograph(90, 3), capture_id=str(slow.capture_id), operation="op-slow")
    send_group(line, [another])

    def reasons() -> list[tuple[str, UUID | None]]:
        with line.database.reading() as session:
            return [(fault.reason, fault.check_id) for fault in faults.search(session)]

    wait_until(lambda: reasons() == [("id_of_another", another.check_id)], 30, "what only has its id is no copy of it")
    wait_until(lambda: len(reasons()) == 2 and under_way(line) == (0, 0), 60, "its end")
    assert reasons()[0] == ("crashed", slow.check_id)


def test_the_processes_of_a_worker_end_with_it(line: Line) -> None:
    """Also where they have something in hand, and their parent is killed."""
    line.environment["INSERTS_FAILPOINT"] = "judge=op-slow:sleep"
    worker = line.start_and_wait()
    send_group(line, [stored_event(line.images, photograph(), operation="op-slow")])
    wait_until(lambda: under_way(line) == (0, 1), what="a capture in hand")
    children = processes_of(worker)
    assert len(children) == 2
    worker.kill()
    worker.wait()
    wait_until(lambda: not any(child.is_running() for child in children), what="the end of its processes")
