"""Bad messages and bad images among good ones, on a worker that stays up: each costs only itself."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from db.engine import migrate
from db.engine.url import sqlite_url
from db.line import faults
from producer.contract.event import INSPECT_QUEUE, INSPECT_TASK, CaptureEvent, new_id
from producer.delivery.outbox import Outbox
from producer.delivery.redis_client import EventSender
from producer.simulation.head import labelled_images
from producer.station.station import Station
from tests.faults.checker import account, drain
from tests.integration.test_inspector import png_of
from tests.integration.test_worker_process import Line
from tests.support import RedisProcess, message, photograph, stored_event, wait_until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Line, subprocess.Popen[bytes]]]:
    """A line whose worker is up, for all tests of this module."""
    folder = tmp_path_factory.mktemp("messages")
    server = RedisProcess(folder / "redis")
    server.start()
    url = sqlite_url(folder / "inserts.db")
    migrate.upgrade(url)
    line = Line(folder, server, url)
    worker = line.start_and_wait()
    yield line, worker
    line.end()
    server.kill()


@contextmanager
def load(line: Line) -> Iterator[None]:
    """A station that submits good captures all the while, each of which is judged in the end."""
    outbox = Outbox(line.folder / f"outbox-{new_id()}.db")
    submitted: list[UUID] = []
    stop = threading.Event()
    images = [image for image, _ in labelled_images(4, seed=1, size=224)]
    name = f"station-{new_id()}"

    def submit() -> None:
        while not stop.wait(0.03):
            where: dict[str, Any] = {"machine": "m", "head": "h", "pocket": 1, "operation": "op", "check_size": 1}
            submitted.append(station.submit(images[len(submitted) % 4], check_id=new_id(), **where).capture_id)

    with Station(name, line.images, outbox, line.redis_server.url) as station:
        thread = threading.Thread(target=submit)
        thread.start()
        try:
            wait_until(lambda: len(submitted) > 10, what="a load")
            yield
        finally:
            stop.set()
            thread.join()
        answers = station.wait_for(submitted, 60)
        assert {answer.answer.kind for answer in answers.values()} == {"verdict"}
        assert answers.keys() == set(submitted)
        account(line.database.url, submitted, drain(line.redis_server, [outbox], 30)).assert_kept()
    outbox.close()


def faults_of(line: Line) -> list[faults.Fault]:
    with line.database.reading() as session:
        return faults.search(session, limit=1000)


def malformed(event: CaptureEvent) -> list[bytes]:
    """A message of Celery's own form, broken in every way that was seen or feared, and what is no message at all."""
    good: dict[str, Any] = {
        "body": "of another capture each",
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": INSPECT_TASK, "id": "x", "argsrepr": "…"},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": "a tag",
            "delivery_info": {"exchange": "", "routing_key": INSPECT_QUEUE},
        },
    }
    without = [{k: v for k, v in good.items() if k != left_out} for left_out in good if left_out != "content-encoding"]
    properties = [{k: v for k, v in good["properties"].items() if k != left_out} for left_out in good["properties"]]
    odd = [
        {"headers": {"task": "os.system", "id": "x"}},
        {"headers": {"task": INSPECT_TASK}},
        {"headers": {**good["headers"], "eta": "tomorrow"}},
        {"content-type": "application/x-python-serialize"},
        {"body": base64.b64encode(b"\x80\x04.").decode()},
        {"body": base64.b64encode(b"[[{}], {}]").decode()},
        {"body": 5},
    ]
    messages = [*without, *({**good, "properties": each} for each in properties), *({**good, **each} for each in odd)]
    for each in messages:
        if each.get("body") == good["body"]:
            another = event.model_copy(update={"capture_id": new_id()})
            each["body"] = base64.b64encode(json.dumps([[another.message()], {}, {}]).encode()).decode()
    return [
        *(json.dumps(each).encode() for each in messages),
        *(b"", b"hello", b"\xff\x00\xfe", b"null", b"[]", b'"text"', b"[" * 100_000, b"\x00" * 2_000_000),
        event.model_dump_json().encode(),
    ]


def test_whatever_lies_on_the_queue_is_kept_as_a_fault(running: tuple[Line, subprocess.Popen[bytes]]) -> None:
    line, worker = running
    photographed = stored_event(line.images, photograph())
    garbage = malformed(photographed)
    redis = line.redis_server.client()
    before = len(faults_of(line))
    with load(line):
        # The last two as a worker with priorities would find them.
        lists = [INSPECT_QUEUE] * (len(garbage) - 2) + [f"{INSPECT_QUEUE}\x06\x163"] * 2
        for queue, raw in zip(lists, garbage, strict=True):
            redis.lpush(queue, raw)
        wait_until(lambda: len(faults_of(line)) == before + len(garbage), 30, f"{len(garbage)} faults")
    assert worker.poll() is None
    assert "Connection to broker lost" not in line.log_file.read_text()
    kept = faults_of(line)[: len(garbage)]
    assert {(fault.reason, fault.count) for fault in kept} == {("invalid_event", 1)}
    captures = sorted(fault.capture_id for fault in kept if fault.capture_id)
    assert photographed.capture_id in captures, "an event without its envelope names its capture"
    assert len(captures) > 5, "and so does one in an envelope that cannot be used"
    texts = {fault.event for fault in kept}
    short = [raw.decode(errors="backslashreplace") for raw in garbage if len(raw) < 5000]
    assert {json.dumps(text) for text in short} <= texts
    assert all(len(text) <= faults.MAX_EVENT for text in texts)


def test_poison_costs_only_itself(running: tuple[Line, subprocess.Popen[bytes]]) -> None:
    line, worker = running
    sender = EventSender(line.redis_server.url)
    photo = photograph(size=200)
    unusable = [
        stored_event(line.images, photo[: len(photo) // 2]),
        stored_event(line.images, png_of(10_000, 10_000)),
        stored_event(line.images, b"%PDF-1.7 no photograph"),
        stored_event(line.images, b""),
    ]
    missing = stored_event(line.images, None)
    wrong = stored_event(line.images, photo, image_sha256="0" * 64)
    broken = [message(image="../../etc/passwd"), message(pocket="7"), message(image="/etc/passwd"), message(head=None)]
    with load(line):
        for event in (missing, *unusable, wrong):
            sender.send(event)
        for each in broken:
            body = base64.b64encode(json.dumps([[each], {}, {}]).encode()).decode()
            properties = {
                "body_encoding": "base64",
                "delivery_tag": "one tag for all",
                "delivery_info": {"exchange": "", "routing_key": INSPECT_QUEUE},
            }
            headers = {"task": INSPECT_TASK, "id": each["capture_id"]}
            raw = {"body": body, "content-type": "application/json", "headers": headers, "properties": properties}
            line.redis_server.client().lpush(INSPECT_QUEUE, json.dumps(raw))

        def reasons() -> dict[str, str]:
            return {str(fault.capture_id): fault.reason for fault in faults_of(line) if fault.capture_id}

        ids = [str(missing.capture_id), str(wrong.capture_id), *(each["capture_id"] for each in broken)]
        expected = dict(zip(ids, ["image_missing", "digest_mismatch", *["invalid_event"] * 4], strict=True))
        wait_until(lambda: expected.items() <= reasons().items(), 30, "the faults")
    assert worker.poll() is None
    verdicts = line.verdicts()
    assert [verdicts[event.capture_id] for event in unusable] == ["unusable"] * 4


def test_everything_three_times_and_shuffled_has_one_verdict_each(
    running: tuple[Line, subprocess.Popen[bytes]],
) -> None:
    line, _ = running
    sender = EventSender(line.redis_server.url)
    images = [image for image, _ in labelled_images(4, seed=2, size=224)]
    events = [stored_event(line.images, images[number % 4]) for number in range(20)]
    thrice = events * 3
    random.Random(5).shuffle(thrice)  # noqa: S311
    with load(line):
        for event in thrice:
            sender.send(event)
    wait_until(lambda: {event.capture_id for event in events} <= line.verdicts().keys(), 30, "the verdicts")
    captures = [event.capture_id for event in events]
    account(line.database.url, captures, drain(line.redis_server, [], 30)).assert_kept()
