"""Groups of events in one message, from a station's outbox to a worker process and back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from producer.contract.event import INSPECT_QUEUE, new_id
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from tests.faults.checker import account
from tests.integration.test_worker_process import Line
from tests.support import RedisProcess, stored_event, wait_until


@pytest.fixture
def line(tmp_path: Path, redis_server: RedisProcess, sqlite_url: str) -> Iterator[Line]:
    line = Line(tmp_path, redis_server, sqlite_url)
    yield line
    line.end()


def test_a_head_that_waited_is_sent_in_groups_and_judged_whole(line: Line) -> None:
    images = [image for image, _ in labelled_images(5, seed=4, size=224)]
    where = {"machine": "m", "head": "h", "operation": "op", "check_id": new_id(), "check_size": 30}
    with closing(Outbox(line.folder / "outbox.db")) as outbox:
        asleep = Station("station-1", line.images, outbox, line.redis_server.url)
        captures = [
            asleep.submit(images[pocket % 5], pocket=pocket, **where).capture_id  # type: ignore[arg-type]
            for pocket in range(1, 31)
        ]
        with Station("station-1", line.images, outbox, line.redis_server.url) as station:
            assert station.flush(10)
            assert line.redis_server.client().llen(INSPECT_QUEUE) == 4
            line.start_and_wait()
            answers = station.wait_for([*captures, where["check_id"]], 60)  # type: ignore[list-item]
            assert len(answers) == 31
            wait_until(lambda: len(outbox) == 0, what="an empty outbox")
        account(line.database.url, captures, {}).assert_kept()


def test_a_group_of_another_language_is_answered_one_by_one(line: Line) -> None:
    """A malformed event in it, and one whose image is missing, cost no other."""
    image = next(image for image, _ in labelled_images(1, seed=4, size=224))
    good = [stored_event(line.images, image) for _ in range(2)]
    missing = stored_event(line.images, None)
    malformed = good[0].message() | {"capture_id": str(new_id()), "colour": "gold"}
    argument = [good[0].message(), malformed, missing.message(), good[1].message()]
    body = base64.b64encode(json.dumps([[argument], {}, {}]).encode()).decode()
    message = {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": "insert_inspection.inspect", "id": str(new_id())},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": str(new_id()),
            "delivery_info": {"exchange": "", "routing_key": "inspect"},
        },
    }
    with (
        closing(Outbox(line.folder / "outbox.db")) as outbox,
        Station(good[0].station, line.images, outbox, line.redis_server.url) as station,
    ):
        line.redis_server.client().lpush(INSPECT_QUEUE, json.dumps(message))
        line.start_and_wait()
        judged = [event.capture_id for event in good]
        answers = station.wait_for([*judged, missing.capture_id], 60)
        assert [answers[each].answer.kind for each in judged] == ["verdict", "verdict"]
        assert answers[missing.capture_id].answer.kind == "fault"
