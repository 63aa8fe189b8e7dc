"""Real workers that die at the worst moments, and a small supervisor of the test's own that starts them again."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from db.line import faults, verdicts
from producer.contract.event import INSPECT_QUEUE, new_id
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from tests.integration.test_worker_process import Line
from tests.support import RedisProcess, wait_until
from worker.runtime.failpoints import EXIT_CODE


@pytest.fixture
def line(
    tmp_path: Path, redis_server: RedisProcess, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Line]:
    monkeypatch.setattr("producer.delivery.resend.FIRST_RESEND", 0.5)
    monkeypatch.setattr("producer.delivery.resend.LAST_RESEND", 2.0)
    line = Line(tmp_path, redis_server, sqlite_url)
    yield line
    line.end()


@contextmanager
def supervised(line: Line, after_death: Callable[[int], None]) -> Iterator[None]:
    """Keep a worker running until the block ends; `after_death` is told each exit code."""
    stop = threading.Event()

    def tend() -> None:
        worker: subprocess.Popen[bytes] = line.start_worker()
        while not stop.wait(0.05):
            if worker.poll() is not None:
                after_death(worker.returncode)
                worker = line.start_worker()

    thread = threading.Thread(target=tend)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def submit(station: Station, image: bytes, operation: str = "op-1") -> UUID:
    return station.submit(
        image, machine="m", head="h", pocket=1, operation=operation, check_id=new_id(), check_size=1
    ).capture_id


@pytest.mark.parametrize("place", ["before-commit", "before-notify", "before-ack"])
def test_a_crash_between_two_steps_leaves_one_verdict(line: Line, place: str) -> None:
    outbox = Outbox(line.folder / "outbox.db")
    deaths: list[int] = []

    def heal(code: int) -> None:
        deaths.append(code)
        line.environment.pop("INSERTS_FAILPOINT", None)

    line.environment["INSERTS_FAILPOINT"] = f"{place}:exit"
    with supervised(line, heal), Station("s", line.images, outbox, line.redis_server.url) as station:
        capture = submit(station, next(labelled_images(1, seed=1, size=256))[0])
        wait_until(lambda: deaths, 60, "the worker's death")
        assert station.wait_for([capture], 60)
        wait_until(lambda: len(outbox) == 0, what="an empty outbox")
        wait_until(lambda: line.redis_server.client().llen(INSPECT_QUEUE) == 0, what="an empty queue")
    outbox.close()
    assert deaths == [EXIT_CODE]
    with line.database.reading() as session:
        assert verdicts.count(session) == 1
        assert faults.search(session, state=None) == []


def test_a_capture_that_kills_its_worker_is_a_fault_and_its_neighbours_are_judged(line: Line) -> None:
    outbox = Outbox(line.folder / "outbox.db")
    deaths: list[int] = []
    line.environment["INSERTS_FAILPOINT"] = "judge=op-poison:exit"
    with supervised(line, deaths.append), Station("s", line.images, outbox, line.redis_server.url) as station:
        images = [image for image, _ in labelled_images(9, seed=1, size=256)]
        captures = [submit(station, image) for image in images[:4]]
        poison = submit(station, images[8], "op-poison")
        captures += [submit(station, image) for image in images[4:8]]
        answers = station.wait_for([*captures, poison], 120)
        assert len(answers) == 9
        assert answers[poison].answer.kind == "fault"
        assert {answers[capture].answer.kind for capture in captures} == {"verdict"}
        wait_until(lambda: len(outbox) == 0, what="an empty outbox")
    outbox.close()
    assert deaths == [EXIT_CODE] * 3
    with line.database.reading() as session:
        (fault,) = faults.search(session)
        assert (fault.reason, fault.capture_id) == ("crashed", poison)
        assert verdicts.count(session) == 8
