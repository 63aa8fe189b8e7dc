"""A real worker process with the embedded network, on a real Redis and both databases."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
import pytest

import db.line.verdicts
from db.engine.database import Database
from db.line import captures, captures_ahead, faults
from db.line.captures import Capture
from producer.contract.event import INSPECT_QUEUE, new_id
from producer.delivery.outbox import Outbox
from producer.delivery.redis_client import EventSender
from producer.simulation.head import labelled_images, write_labelled_folder
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import RunningCommand, run_command, start_command
from tests.integration.conftest import on_one_engine
from tests.metrics_support import scrape_of, scraped
from tests.support import RedisProcess, program, stored_event, wait_until
from worker.embedded.redis_server import free_port

AnyWorker = RunningCommand | subprocess.Popen[bytes]


class Line:
    """Redis, a database, and a worker process that can be started, stopped and killed."""

    def __init__(self, folder: Path, redis_server: RedisProcess, database_url: str):
        self.folder = folder
        self.redis_server = redis_server
        self.database = Database(database_url)
        self.images = FolderStore(folder / "images")
        self.log_file = folder / "worker.log"
        self.environment = os.environ | {
            "INSERTS_DATA": str(folder),
            "INSERTS_REDIS_URL": redis_server.url,
            "INSERTS_DATABASE_URL": database_url,
            "INSERTS_PROCESSES": "2",
        }
        self._workers: list[AnyWorker] = []

    def start_worker(self, *options: str) -> RunningCommand:
        worker = start_command("insert-worker", "run", *options, environment=self.environment, log=self.log_file)
        self._workers.append(worker)
        return worker

    def start_installed_worker(self, *options: str) -> subprocess.Popen[bytes]:
        """One that has loaded nothing but what it needs."""
        with self.log_file.open("ab") as log:
            command = [program("insert-worker"), "run", *options]
            worker = subprocess.Popen(command, env=self.environment, stderr=log, stdout=log)
        self._workers.append(worker)
        return worker

    def start_and_wait(self, start: Callable[..., AnyWorker] | None = None) -> AnyWorker:
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        worker = (start or self.start_worker)("--ready-file", str(ready))
        wait_until(lambda: ready.exists() or worker.poll() is not None, 120, "a ready worker")
        assert worker.poll() is None, self.log_file.read_text()
        return worker

    def end(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.wait()
        self.database.close()

    def verdicts(self) -> dict[UUID, str]:
        with self.database.reading() as session:
            return {row.capture_id: row.outcome or "" for row in db.line.verdicts.export(session)}


@pytest.fixture
def line(networks: Path, tmp_path: Path, redis_server: RedisProcess, database_url: str) -> Iterator[Line]:
    line = Line(tmp_path, redis_server, database_url)
    yield line
    line.end()


@on_one_engine
def test_the_line_from_no_model_to_the_first_one(line: Line) -> None:
    """Bad input among good; `unsure` without a model; a trained one in charge within seconds; a clean end.

    A photograph that a clock has placed in the future is noted.
    """
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with line.database.transaction() as session:
        of = ("m-2", "h", 1, "op", new_id(), 1, "a.png", "0" * 64)
        captures.record(session, Capture(new_id(), tomorrow, "station-1", *of), tomorrow)
    port = free_port()
    line.environment["INSERTS_METRICS_PORT"] = str(port)
    worker = line.start_and_wait(line.start_installed_worker)
    outbox = Outbox(line.folder / "outbox.db")
    inserts = list(labelled_images(12, seed=3, size=256))
    sender = EventSender(line.redis_server.url)
    poison = [
        stored_event(line.images, None),
        stored_event(line.images, inserts[0][0], image_sha256="0" * 64),
        stored_event(line.images, inserts[0][0][:500]),
    ]
    with Station("station-1", line.images, outbox, line.redis_server.url) as station:
        check = new_id()

        def submit(image: bytes, pocket: int) -> UUID:
            return station.submit(
                image, machine="m", head="h", pocket=pocket, operation="op", check_id=check, check_size=12
            ).capture_id

        good = []
        for number, (image, _) in enumerate(inserts):
            if number < len(poison):
                sender.send(poison[number])
            good.append(submit(image, number + 1))
        answers = station.wait_for([*good, check, *(event.capture_id for event in poison)], 60)
        assert len(answers) == 12 + 1 + 3
        assert {answers[capture].answer.outcome for capture in good} == {"unsure"}  # type: ignore[union-attr]
        assert answers[check].answer.state == "review"  # type: ignore[union-attr]
        assert answers[poison[0].capture_id].answer.kind == "fault"
        assert answers[poison[1].capture_id].answer.kind == "fault"
        assert answers[poison[2].capture_id].answer.outcome == "unusable"  # type: ignore[union-attr]
        with line.database.reading() as session:
            assert captures_ahead.unnoted(session) == []
        wait_until(lambda: len(outbox) == 0, what="an empty outbox")

        write_labelled_folder(line.folder / "labelled", 80, seed=5, size=256)
        train = ("train", str(line.folder / "labelled"), "--promote")
        trained = run_command("insert-worker", *train, environment=line.environment)
        assert trained.returncode == 0, trained.stderr

        shown = cycle(sorted((line.folder / "labelled").rglob("*.jpg")))

        def judged_by_a_model() -> bool:
            capture = submit(next(shown).read_bytes(), 1)  # of some it is unsure
            answer = station.wait_for([capture], 30)[capture].answer
            return answer.model is not None and answer.outcome in ("intact", "damaged")  # type: ignore[union-attr]

        wait_until(judged_by_a_model, 60, "the new model in charge")
        assert_measured(line, port, station)
    assert_light(worker.pid)
    outbox.close()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    with line.database.reading() as session:
        assert {fault.reason for fault in faults.search(session)} == {"image_missing", "digest_mismatch"}
    assert line.redis_server.client().llen(INSPECT_QUEUE) == 0
    assert_logged(line)


def assert_light(pid: int) -> None:
    """Neither the parent nor its children have loaded what learns."""
    worker = psutil.Process(pid)
    for process in (worker, *worker.children()):
        loaded = Path(f"/proc/{process.pid}/maps").read_text()
        assert "/numpy/" in loaded
        assert [name for name in ("tensorflow", "keras", "sklearn", "scipy") if f"-packages/{name}/" in loaded] == []


def assert_measured(line: Line, port: int, station: Station) -> None:
    """The worker's metrics tell what the test above has sent, and the station's agree."""
    # What took longer than a resend was told twice, and may be on its way still.
    waits = ("queue_captures", "unacknowledged_messages", "captures_in_hand")
    ages = ("queue_oldest_age_seconds", "recorded_oldest_age_seconds")

    def quiet() -> bool:
        told = scraped(port)
        return all(told.value(f"inserts_{name}") == 0 for name in (*waits, *ages))

    wait_until(quiet, 60, "a quiet line")
    told = scraped(port)
    outcomes = {
        each["outcome"]: told.value("inserts_captures_total", **each) for each in told.labels("inserts_captures_total")
    }
    assert outcomes["fault"] >= 2
    assert outcomes["unusable"] >= 1
    assert outcomes["unsure"] >= 12
    assert outcomes["intact"] + outcomes["damaged"] >= 1

    def answered() -> bool:
        heard = scrape_of(station.metrics.registry)
        return all(heard.value("inserts_station_answers_total", outcome=each) >= outcomes[each] for each in outcomes)

    wait_until(answered, what="a station that has heard all that")
    judged = sum(outcomes.values()) - outcomes["fault"]
    assert told.value("inserts_faults_total", reason="image_missing") >= 1
    assert told.value("inserts_open_faults", reason="digest_mismatch") == 1
    assert told.value("inserts_capture_seconds_count") == judged
    for stage in ("fetch", "decode"):
        assert told.value("inserts_stage_seconds_count", stage=stage) >= judged, stage
    messages = told.value("inserts_batch_captures_count")
    for stage in ("arrive", "commit", "notify"):
        assert told.value("inserts_stage_seconds_count", stage=stage) == messages, stage
    assert told.value("inserts_stage_seconds_count", stage="forward") >= outcomes["intact"] + outcomes["damaged"]
    assert told.value("inserts_batch_captures_sum") >= sum(outcomes.values())
    assert 0 < (told.value("inserts_unsure_ratio") or 0) < 1
    (model,) = told.labels("inserts_model_info")
    assert model == {"role": "champion", "model": told.labels("inserts_champion_info")[0]["model"]}
    assert [told.value(f"inserts_{name}") for name in ("model_refused", "ready", "redis_connected")] == [0, 1, 1]
    assert time.time() - (told.value("inserts_heartbeat_timestamp_seconds") or 0) < 30
    assert (told.value("inserts_pool_cpu_seconds_total") or 0) > 0.1
    assert (told.value("inserts_pool_resident_memory_bytes") or 0) > 50_000_000


def logged(line: Line) -> list[dict[str, Any]]:
    """What the worker has logged; all that it wrote is JSON of one form, and holds no password."""
    text = line.log_file.read_text()
    password = urlsplit(line.redis_server.url).password
    assert password
    assert password not in text
    # Celery's farewell goes to standard output, by way of no logger.
    lines = [json.loads(each) for each in text.splitlines() if each not in ("", "worker: Warm shutdown (MainProcess)")]
    assert all({"event", "level", "timestamp"} <= each.keys() for each in lines)
    return lines


def assert_logged(line: Line) -> None:
    """What belongs to a capture names it, its check and the model in charge."""
    about = [each for each in logged(line) if each["event"] in ("judged", "fault", "judged before, told again")]
    assert len(about) >= 15
    assert all(each["capture"] and each["check"] for each in about)
    models = {each["model"] for each in about}
    assert None in models
    assert len(models) == 2


@on_one_engine
def test_a_killed_worker_s_captures_are_judged_by_the_next_one(line: Line) -> None:
    outbox = Outbox(line.folder / "outbox.db")
    inserts = [image for image, _ in labelled_images(30, seed=4, size=256)]
    worker = line.start_and_wait()
    with Station("station-1", line.images, outbox, line.redis_server.url) as station:
        captures = []
        for number, image in enumerate(inserts):
            event = station.submit(
                image, machine="m", head="h", pocket=number + 1, operation="op", check_id=new_id(), check_size=1
            )
            captures.append(event.capture_id)
            if number == 10:
                worker.kill()
                worker.wait()
        line.start_worker()
        assert len(station.wait_for(captures, 90)) == 30
        wait_until(lambda: len(outbox) == 0, what="an empty outbox")
    outbox.close()
    assert line.verdicts().keys() == set(captures)
    with line.database.reading() as session:
        assert db.line.verdicts.count(session) == 30
