"""A Redis that captures have filled to the brim: a worker finds its way out, and everything is judged."""

from __future__ import annotations

import os
from pathlib import Path

from kombu.exceptions import OperationalError
from structlog.testing import capture_logs

from producer.contract.event import INSPECT_QUEUE, new_id
from producer.delivery.outbox import Outbox
from producer.delivery.redis_client import EventSender
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import start_command
from tests.support import RedisProcess, stored_event, wait_until
from worker.broker.load_shedding import LoadShedder, make_room


def filled(server: RedisProcess, images: FolderStore, photograph: bytes, room: int) -> int:
    """Fill Redis with another station's captures, as many as fit into so many bytes; how many those were."""
    client = server.client()
    used: int = client.info("memory")["used_memory"]  # type: ignore[index]
    client.config_set("maxmemory", str(used + room))
    sender = EventSender(server.url)
    event = stored_event(images, photograph, station="station-2")
    count = 0
    try:
        while True:
            sender.send(event)
            count += 1
    except OperationalError:
        sender.close()
        return count


def test_a_worker_that_finds_redis_full_makes_room_and_nothing_is_lost(
    tmp_path: Path, redis_server: RedisProcess, sqlite_url: str
) -> None:
    images = FolderStore(tmp_path / "images")
    photograph = next(image for image, _ in labelled_images(1, seed=3, size=256))
    stuck = filled(redis_server, images, photograph, room=3_000_000)  # a worker's own connections take some of it
    assert stuck > 100
    outbox = Outbox(tmp_path / "outbox.db")
    environment = os.environ | {
        "INSERTS_DATA": str(tmp_path),
        "INSERTS_REDIS_URL": redis_server.url,
        "INSERTS_DATABASE_URL": sqlite_url,
        "INSERTS_PROCESSES": "2",
    }
    log = tmp_path / "worker.log"
    with Station("station-1", images, outbox, redis_server.url) as station:
        ours = station.submit(
            photograph, machine="m", head="h", pocket=1, operation="o", check_id=new_id(), check_size=1
        )
        wait_until(lambda: any("maxmemory" in (each.problem or "") for each in outbox.waiting()), what="a refusal")
        worker = start_command("insert-worker", "run", environment=environment, log=log)
        try:
            assert station.wait_for([ours.capture_id], 120), log.read_text()
            client = redis_server.client()
            wait_until(lambda: client.llen(INSPECT_QUEUE) == 0, 30, "an empty queue")
        finally:
            worker.kill()
            worker.wait()
    outbox.close()
    assert "Redis is full" in log.read_text()


def test_the_newest_half_goes_and_only_where_it_is_full(tmp_path: Path, redis_server: RedisProcess) -> None:
    client = redis_server.client()
    for number in range(5):
        client.lpush(INSPECT_QUEUE, str(number))
    assert make_room(client) is None
    client.config_set("maxmemory", "100mb")
    assert make_room(client) is None
    client.config_set("maxmemory", "1")
    assert make_room(client) == 3
    assert client.lrange(INSPECT_QUEUE, 0, -1) == ["1", "0"]  # the next one to be taken is the last
    assert make_room(client) == 1
    assert make_room(client) == 1
    assert make_room(client) == 0


def test_what_is_full_of_other_things_is_said_once(redis_server: RedisProcess) -> None:
    client = redis_server.client()
    shedder = LoadShedder(redis_server.url)
    client.config_set("maxmemory", "1")
    with capture_logs() as lines:
        shedder.turn()
        shedder.turn()
        client.config_set("maxmemory", "0")
        shedder.turn()
        client.config_set("maxmemory", "1")
        shedder.turn()
    assert ["OOM" in line["event"] for line in lines] == [True, True]


def test_a_redis_that_deletes_what_it_has_no_room_for_is_warned_of_once(redis_server: RedisProcess) -> None:
    def warnings() -> list[object]:
        with capture_logs() as told, LoadShedder(redis_server.url) as shedder:
            shedder.turn()
        return [line["policy"] for line in told if "maxmemory-policy" in line["event"]]

    assert warnings() == []
    redis_server.client().config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert warnings() == ["allkeys-lru"]
    finally:
        redis_server.client().config_set("maxmemory-policy", "noeviction")
