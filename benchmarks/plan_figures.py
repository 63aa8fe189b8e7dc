"""The capacity of one worker, one Redis and one database on this machine, and the cost of a capture: a plan's inputs.

They are figures without a target; `worker.planning.measurements` reads them from where `make bench` keeps them. Where a
part only carries load from others (Redis, PostgreSQL), its own processor time for a capture counts, because on one
machine it shares the processor with the worker that loads it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

import psutil
from sqlalchemy import text

from benchmarks.growth import _ENGINES, IMAGE, KEY, Grown, _only_warnings
from benchmarks.ingest import submitted_per_second
from benchmarks.latency import watching
from benchmarks.line import Line, running, running_with
from benchmarks.line_rate import captures_per_second, warm_up
from benchmarks.materials import photographs
from benchmarks.measure import Benchmark
from benchmarks.memory import peak_bytes
from benchmarks.networks import MOBILENET, VGG16, network
from benchmarks.processes import processor_seconds
from db.engine import migrate
from db.engine.database import Database
from producer.contract.answers import stream_of
from producer.delivery.redis_connection import connect
from producer.storage.folder import FolderStore
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.planning.measurements import name_of
from worker.runtime.process import usable_cores

BACKBONES = {DEFAULT_BACKBONE: 2_000, MOBILENET: 2_000, VGG16: 240}
"""The backbones whose workers are measured, and captures of a full queue for one sample."""

CARRIED = 4_000
"""Captures that go through Redis for one sample."""

WAITING = 2000
"""Events in the queue when the memory of one is measured."""

KEPT = 20_000
"""Captures with verdicts in a database when the bytes of one are measured."""

WRITTEN = 3000
"""Captures that a database takes for one sample."""

Figures = dict[str, list[float]]


@cache
def of_worker(backbone: str, samples: int) -> Figures:
    """`per_second`, `single_seconds` and `worker_bytes` of a worker with that backbone."""
    figures: Figures = {"per_second": [], "single_seconds": [], "worker_bytes": []}
    with running(network(backbone)) as line:
        captures = BACKBONES[backbone]
        warm_up(line)
        for sample in range(samples):
            figures["single_seconds"].append(single_seconds(line, f"single-{sample}"))
            figures["per_second"].append(captures_per_second(line, f"full-{sample}", captures))
            figures["worker_bytes"].append(float(peak_bytes(line, f"loaded-{sample}", captures // 2)))
    return figures


def single_seconds(line: Line, name: str) -> float:
    """Seconds from a station's submit to the verdict at the station, on a line that is idle: the median of twenty."""
    with watching(line, name) as watch:
        return median(watch.head_seconds(1) for _ in range(20))


@cache
def of_redis(samples: int) -> Figures:
    """What Redis takes for each capture: of its thread, of memory, of the network and of the AOF.

    With a worker that does not judge.
    """
    figures: Figures = {
        name: [] for name in ("redis_per_second", "redis_network_bytes", "aof_bytes", "event_bytes", "answer_bytes")
    }
    with running_with([sys.executable, "-m", "benchmarks.worker_without_network"]) as line:
        warm_up(line, 300)
        client: Any = connect(line.redis_url, timeout=30.0)
        server = psutil.Process(client.info("server")["process_id"])
        for sample in range(samples):
            with _standstill_of_memory(line, client, figures["event_bytes"]):
                line.publish(f"waiting-{sample}", WAITING)
            line.wait(f"waiting-{sample}", WAITING)
            before, seconds = client.info(), processor_seconds([server])
            captures_per_second(line, f"carried-{sample}", CARRIED)
            after = client.info()
            figures["redis_per_second"].append(CARRIED / (processor_seconds([server]) - seconds))
            grown = {name: (after[name] - before[name]) / CARRIED for name in _COUNTED}
            figures["redis_network_bytes"].append(grown["total_net_input_bytes"] + grown["total_net_output_bytes"])
            figures["aof_bytes"].append(grown["aof_current_size"])
            stream = stream_of(f"carried-{sample}")
            figures["answer_bytes"].append(client.memory_usage(stream, samples=0) / client.xlen(stream))
        client.close()
    return figures


_COUNTED = ("total_net_input_bytes", "total_net_output_bytes", "aof_current_size")


@contextmanager
def _standstill_of_memory(line: Line, client: Any, figures: list[float]) -> Iterator[None]:
    """The worker stands still meanwhile; what Redis's memory grew by, for each event that came, is added to `found`."""
    with line.standstill():
        before = client.info("memory")["used_memory"]
        yield
        figures.append((client.info("memory")["used_memory"] - before) / WAITING)


@cache
def of_database(engine: str, samples: int) -> Figures:
    """`database_per_second` and `database_bytes` of an engine.

    Of SQLite the rate is that of one process without a network, which does the database's work itself. Of
    PostgreSQL it is the captures for each second of its server's processor time: what one of its cores carries.
    """
    with tempfile.TemporaryDirectory(prefix="bench-plan-") as name, _ENGINES[engine](Path(name)) as new:
        images = FolderStore(Path(name) / "images")
        images.put(KEY, IMAGE)
        with _only_warnings():
            empty, full = new("empty"), new("full")
            migrate.upgrade(empty)
            with closing(Grown(full, KEPT, images)) as grown:
                grown.settle()
                size = (_size(full) - _size(empty)) / KEPT
                grown.seconds_per_capture(WRITTEN // 10)
                rates = [_written_per_second(full, grown) for _ in range(samples)]
    return {"database_per_second": rates, "database_bytes": [size]}


def _size(url: str) -> int:
    with closing(Database(url)) as database, database.reading() as session:
        return int(session.scalar(text(_SIZE[session.get_bind().dialect.name])) or 0)


_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def _written_per_second(url: str, grown: Grown) -> float:
    if url.startswith("sqlite"):
        return 1 / grown.seconds_per_capture(WRITTEN)
    with closing(Database(url)) as database, database.reading() as session:
        server = psutil.Process(session.scalar(text("SELECT pg_backend_pid()"))).parent()
        before = _server_seconds(server)
        grown.seconds_per_capture(WRITTEN)
        return WRITTEN / (_server_seconds(server) - before)


def _server_seconds(server: Any) -> float:
    """Processor seconds of a PostgreSQL server, of its processes that have ended too."""
    ended = server.cpu_times()
    return processor_seconds([server, *server.children()]) + ended.children_user + ended.children_system


def of_station(samples: int) -> Figures:
    """`station_per_second`, as `ingest_station_per_s` measures it."""
    return {"station_per_second": submitted_per_second(samples)}


def of_machine(_: int) -> Figures:
    """Cores, and the bytes of a photograph (rendered, 1024×1024 JPEG): give the plan those of your own cameras."""
    return {"cores": [float(usable_cores())], "image_bytes": [fmean(map(len, photographs()))]}


def _benchmark(figure: str, sentence: str, unit: str, measure: Callable[[int], Figures], of: str | None) -> Benchmark:
    return Benchmark(
        name=name_of(figure, of),
        sentence=sentence if of is None else f"{sentence}, {of}",
        unit=unit,
        target=None,
        at_least=True,
        measure=lambda samples: measure(samples)[figure],
        samples=3,
    )


BENCHMARKS = (
    _benchmark("cores", "processor cores of one worker", "cores", of_machine, None),
    _benchmark("image_bytes", "one photograph", "bytes", of_machine, None),
    _benchmark("station_per_second", "captures that one station hands in", "captures/s", of_station, None),
    *(
        _benchmark(figure, sentence, unit, partial(of_worker, backbone), backbone)
        for backbone in BACKBONES
        for figure, sentence, unit in (
            ("per_second", "captures that one worker judges from a full queue", "captures/s"),
            ("single_seconds", "submit to verdict at the station, one capture on an idle line", "s"),
            ("worker_bytes", "memory of one worker under load, all its processes together", "bytes"),
        )
    ),
    *(
        _benchmark(figure, sentence, unit, of_redis, None)
        for figure, sentence, unit in (
            ("redis_per_second", "captures for each second of Redis's processor time", "captures/s"),
            ("redis_network_bytes", "to and from Redis for a capture", "bytes"),
            ("aof_bytes", "what the AOF grows by for a capture", "bytes"),
            ("event_bytes", "memory of an event that waits in the queue", "bytes"),
            ("answer_bytes", "memory of an answer in a station's stream", "bytes"),
        )
    ),
    *(
        _benchmark(figure, sentence, unit, partial(of_database, engine), engine)
        for engine in ("sqlite", "postgresql")
        for figure, sentence, unit in (
            ("database_per_second", "captures that the database takes (PostgreSQL: for each core)", "captures/s"),
            ("database_bytes", "a capture with its verdict and its indexes", "bytes"),
        )
    ),
)
