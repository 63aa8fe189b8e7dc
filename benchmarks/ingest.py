"""The limits of the queue itself: how fast a station submits, and how fast Redis and a worker carry."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.line import running_with
from benchmarks.line_rate import captures_per_second
from benchmarks.materials import photographs
from benchmarks.measure import Benchmark
from producer.contract.event import new_id
from producer.delivery.outbox import Outbox
from producer.station.station import Station
from producer.storage.folder import FolderStore
from worker.embedded.redis_server import free_port, prepare_redis
from worker.embedded.supervisor import ChildProcess, Supervisor

SUBMITTED = 600
"""Captures that a station hands in for one sample."""

CARRIED = 8_000
"""Captures that the queue and a worker without a network carry for one sample."""


def submitted_per_second(samples: int) -> list[float]:
    """Captures per second that `Station.submit` has safely on disk, image and event, while others leave for Redis."""
    images = photographs()
    rates = []
    with tempfile.TemporaryDirectory(prefix="bench-station-") as name, Supervisor() as supervisor:
        folder = Path(name)
        redis = prepare_redis(folder, free_port())
        supervisor.add(ChildProcess("redis", redis.command, folder / "redis.log"))
        redis.wait_until_up(20)
        outbox = Outbox(folder / "outbox.db")
        with Station("station-1", FolderStore(folder / "images"), outbox, redis.url) as station:
            for _ in range(samples):
                check = new_id()
                start = time.perf_counter()
                for number in range(SUBMITTED):
                    station.submit(
                        images[number % len(images)],
                        machine="m",
                        head="h",
                        pocket=number % 30 + 1,
                        operation="op",
                        check_id=check,
                        check_size=30,
                    )
                rates.append(SUBMITTED / (time.perf_counter() - start))
                station.flush(120)
        outbox.close()
    return rates


def carried_per_second(samples: int) -> list[float]:
    """Captures per second from queue to committed verdict and answer, when the network is replaced by nothing."""
    with running_with([sys.executable, "-m", "benchmarks.worker_without_network"]) as line:
        captures_per_second(line, "warm-up", CARRIED // 10)
        return [captures_per_second(line, f"station-{sample}", CARRIED) for sample in range(samples)]


BENCHMARKS = (
    Benchmark(
        name="ingest_station_per_s",
        sentence="captures per second that one station submits, image and event synced to its disk",
        unit="captures/s",
        target=300,
        at_least=True,
        measure=submitted_per_second,
    ),
    Benchmark(
        name="ingest_queue_per_s",
        sentence="captures per second that Redis, a worker with all its processes and SQLite carry without a network",
        unit="captures/s",
        target=1500,
        at_least=True,
        measure=carried_per_second,
        samples=3,
    ),
)
