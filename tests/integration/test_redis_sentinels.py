"""A line on a Redis that sentinels watch over: its master dies, and the line goes on with the next one."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from uuid import UUID

import pytest
import redis

from producer.contract.event import new_id
from producer.delivery.outbox import Outbox
from producer.delivery.redis_connection import connect
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.faults.checker import account
from tests.integration.sentinels import SentinelPlant
from tests.support import RedisProcess, start_workers, wait_until
from worker.monitoring.heartbeat import LearnHeartbeat, SchedulerHeartbeat, read
from worker.monitoring.plant_metrics import read_queue


def test_a_failover_under_load_loses_nothing(tmp_path: Path, sqlite_url: str) -> None:
    """With one of the sentinels gone as well; worker, learner, beat, station, notifier and metrics."""
    with SentinelPlant(tmp_path / "plant").running() as plant:
        environment = os.environ | {
            "INSERTS_DATA": str(tmp_path),
            "INSERTS_REDIS_URL": plant.url,
            "INSERTS_DATABASE_URL": sqlite_url,
            "INSERTS_PROCESSES": "2",
            **dict.fromkeys(("INSERTS_REEXTRACT_EVERY", "INSERTS_RETRAIN_EVERY", "INSERTS_EVALUATE_EVERY"), "1"),
        }
        processes, logs = start_workers(tmp_path, environment)
        run = tmp_path / "run"
        outbox, submitted = Outbox(tmp_path / "outbox.db"), list[UUID]()
        photograph = next(image for image, _ in labelled_images(1, seed=3, size=224))
        try:
            with Station("station-1", FolderStore(tmp_path / "images"), outbox, plant.url) as station:

                def submit() -> UUID:
                    event = station.submit(
                        photograph, machine="m", head="h", pocket=1, operation="o", check_id=new_id(), check_size=1
                    )
                    submitted.append(event.capture_id)
                    return event.capture_id

                assert station.wait_for([submit()], 180), logs["run"].read_text()
                # The worker is there within seconds; what learns takes longer to start.
                hearts = [run / f"{role}.heartbeat" for role in ("learn", "beat")]
                wait_until(lambda: all(heart.exists() for heart in hearts), 120, "a learner and a beat")
                stop = threading.Event()
                load = threading.Thread(target=lambda: [submit() for _ in iter(lambda: stop.wait(0.2), True)])
                load.start()
                wait_until(lambda: len(submitted) > 5, what="a load")
                first = plant.master()
                plant.kill(plant.sentinels[0])
                plant.kill(first)
                wait_until(lambda: plant.master() != first, 60, "a failover")
                assert station.wait_for([submit()], 120), logs["run"].read_text()
                stop.set()
                load.join()
                assert len(station.wait_for(submitted, 120)) == len(submitted)
                wait_until(lambda: len(outbox) == 0, what="an empty outbox")
            wait_until(lambda: read(run / "learn.heartbeat", LearnHeartbeat).redis, 60, "a learner at work")
            ticks = read(run / "beat.heartbeat", SchedulerHeartbeat).ticks
            wait_until(lambda: read(run / "beat.heartbeat", SchedulerHeartbeat).ticks > ticks + 3, 60, "a beat at work")
            client: redis.Redis = connect(plant.url, timeout=5.0)
            assert read_queue(client).waiting == 0
            client.close()
            for process, log in zip(processes, logs.values(), strict=True):
                assert process.poll() is None, log.read_text()
                assert "Traceback" not in log.read_text(), log.read_text()
        finally:
            for process in processes:
                process.kill()
                process.wait()
            outbox.close()
        account(sqlite_url, submitted, {}).assert_kept()


def test_a_redis_that_is_taken_for_a_sentinel_is_told_in_words(redis_server: RedisProcess) -> None:
    place = redis_server.url.removeprefix("redis://").partition("/")[0]
    access, _, address = place.rpartition("@")
    password = access.removeprefix(":")
    client = connect(f"sentinel://{access}@{address}/line/0?sentinel_password={password}", timeout=5)
    with pytest.raises(redis.ResponseError, match="is a Redis and no sentinel: write redis://HOST:PORT/0"):
        client.ping()
