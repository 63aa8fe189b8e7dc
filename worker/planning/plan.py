"""Capacity planning: workers and how long a head waits for them, memory, disk and network for a plant's load.

Pure arithmetic on figures that were measured (`worker.planning.measurements`). Assumptions are stated where they are
used; `docs/scaling.md` lists all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from db.retention.days_kept import DAYS_OF_VERDICTS, mean_days_of_images
from producer.contract.answers import STREAM_LENGTH
from producer.delivery.grouping import DEFAULT_GROUP
from worker.planning.measurements import DatabaseFigures, Figures, WorkerFigures
from worker.planning.outage import Outage, after_outage
from worker.planning.queueing import waiting_quantile

FULLEST: Final = 0.8
"""The share of what a part can carry from which on it is taken to be full: beyond it waits grow faster than loads."""

SHARE: Final = 0.95
"""Of all heads, those that wait no longer than the plan says."""

SQLITE_WORKERS: Final = 1
"""Workers that may share one SQLite file; more would wait for each other's lock, and it is a file of one machine."""

LARGEST_DATABASE: Final = 32
"""Processor cores of a PostgreSQL server that is still easily had; what needs more is better parted."""

DAY: Final = 86_400.0

SHARE_DAMAGED: Final = 0.1
"""The default share of the photographs that show a damaged insert or are unsure."""


@dataclass(frozen=True)
class Load:
    """Stations that each hand in a head of `inserts` at once, every so many seconds on average, day and night."""

    stations: int
    inserts: int
    every: float

    @property
    def heads_per_second(self) -> float:
        """Heads of all stations together."""
        return self.stations / self.every

    @property
    def captures_per_second(self) -> float:
        """Captures of all stations together."""
        return self.heads_per_second * self.inserts


@dataclass(frozen=True)
class Waits:
    """What a number of workers makes of a load; times are those of the 95th percentile, in seconds."""

    utilisation: float
    """The share of the time that a worker works."""
    queued: float | None
    """From hand-in until a head's first capture is taken; None where more comes in than is judged."""
    answered: float | None
    """From hand-in until a head's last verdict is with its station."""


@dataclass(frozen=True)
class Stores:
    """What is kept, in bytes."""

    redis_memory: float
    """With the queue of the outage in it, and every station's answers."""
    redis_disk: float
    """For the AOF: it may grow to twice the data before it is written anew, beside the old one."""
    redis_written_per_day: float
    """What the AOF's disk must bear."""
    database_per_day: float
    database: float
    """After the days that verdicts are kept."""
    images_per_day: float
    images: float
    """After the days that images are kept."""


@dataclass(frozen=True)
class Plan:
    """What a load needs."""

    load: Load
    workers: int
    cores: float
    memory: float
    """Bytes of all workers."""
    waits: Waits
    database: str
    """`sqlite` or `postgresql`."""
    database_cores: float | None
    """Cores of the PostgreSQL server at `FULLEST`; None for SQLite, which works in the worker's process."""
    redis_share: float
    """Of the captures that one Redis carries."""
    database_share: float
    """Of the captures that the database carries, PostgreSQL on `LARGEST_DATABASE` cores."""
    outage: Outage
    stores: Stores
    image_network: float
    """Bytes a second into the image store, and as many again out of it."""
    redis_network: float
    """Bytes a second to and from Redis."""


def plan(
    load: Load,
    figures: Figures,
    *,
    workers: int | None = None,
    within: float | None = None,
    outage: float = 3600.0,
    keep_verdicts: float = DAYS_OF_VERDICTS,
    keep_images: float | None = None,
    damaged: float = SHARE_DAMAGED,
) -> Plan:
    """What `load` needs, by `figures`.

    Args:
        load: what the stations hand in.
        figures: what was measured.
        workers: how many there are; without it, the fewest at `FULLEST` that keep `within`.
        within: seconds in which 95 % of the heads are to be answered.
        outage: seconds for which all workers, or the database, may be away.
        keep_verdicts: days that the database keeps what was judged.
        keep_images: days that images are kept; without it, those of `insert-db prune`, which keeps longer what is
            damaged or unsure.
        damaged: the share of all images that are.

    Raises:
        ValueError: no number of workers keeps `within`; the message says what is possible.
    """
    rate = load.captures_per_second
    number = workers or fewest_workers(load, figures, within)
    waiting = waits(load, figures.worker, figures.station_per_second, number)
    backlog = after_outage(outage, rate / load.stations, waiting.utilisation, load.every)
    queue = load.stations * backlog.queue * figures.redis.event_bytes
    sqlite, postgresql = figures.sqlite, figures.postgresql
    small = number <= SQLITE_WORKERS and rate <= FULLEST * sqlite.per_second
    database: DatabaseFigures = sqlite if small else postgresql
    answers = load.stations * STREAM_LENGTH * figures.redis.answer_bytes
    memory = answers + queue
    days_of_images = mean_days_of_images(damaged, keep_verdicts) if keep_images is None else keep_images
    return Plan(
        load=load,
        workers=number,
        cores=number * figures.worker.cores,
        memory=number * figures.worker.bytes,
        waits=waiting,
        database="sqlite" if small else "postgresql",
        database_cores=None if small else rate / postgresql.per_second / FULLEST,
        redis_share=rate / figures.redis.per_second,
        database_share=rate / (database.per_second * (1 if small else LARGEST_DATABASE)),
        outage=backlog,
        stores=Stores(
            redis_memory=memory,
            redis_disk=3 * memory,
            redis_written_per_day=DAY * rate * figures.redis.aof_bytes,
            database_per_day=DAY * rate * database.bytes,
            database=DAY * rate * database.bytes * keep_verdicts,
            images_per_day=DAY * rate * figures.image_bytes,
            images=DAY * rate * figures.image_bytes * days_of_images,
        ),
        image_network=rate * figures.image_bytes,
        redis_network=rate * figures.redis.network_bytes,
    )


def fewest_workers(load: Load, figures: Figures, within: float | None = None) -> int:
    """The fewest workers that are busy at most `FULLEST` of the time and answer 95 % of the heads `within` seconds.

    Raises:
        ValueError: no number of workers does.
    """
    fewest = max(1, math.ceil(load.captures_per_second / (FULLEST * figures.worker.per_second)))
    if within is None:
        return fewest

    def enough(workers: int) -> bool:
        answered = waits(load, figures.worker, figures.station_per_second, workers).answered
        return answered is not None and answered <= within

    # More workers than captures at once change nothing any more but the wait.
    most = fewest + load.inserts
    while not enough(most):
        answered = waits(load, figures.worker, figures.station_per_second, most).answered
        if most > 1000 * (fewest + load.inserts):
            raise ValueError(
                f"no number of workers answers 95 % of the heads within {within:g} s; with {most:,} it is "
                f"{answered:.3g} s. A head of {load.inserts} takes {load.inserts / figures.station_per_second:.2g} s "
                f"to hand in, and one capture alone {figures.worker.single_seconds:.2g} s"
            )
        most *= 2
    low = fewest
    while low < most:
        middle = (low + most) // 2
        low, most = (low, middle) if enough(middle) else (middle + 1, most)
    return low


def in_hand(worker: WorkerFigures) -> int:
    """Captures that a worker has under way at most: a message for each of its processes."""
    return DEFAULT_GROUP * math.ceil(worker.cores)


def waits(load: Load, worker: WorkerFigures, station_per_second: float, workers: int) -> Waits:
    """How busy so many workers are and how long heads wait; a station hands in `station_per_second` captures.

    The queueing delay is that of the M/D/1 queue of heads (`worker.planning.queueing`) with all workers as its server.
    An answer takes that, and what one capture takes beyond its share of a worker (the way through Redis and database),
    and the longer of handing the head in and judging its last part on each worker. And it takes what came behind the
    head meanwhile and is under way with it: a message's verdicts are there at its end. That last part is an
    approximation, on the safe side (`benchmarks/plan_simulation.py`).
    """
    capture = 1 / worker.per_second
    utilisation = load.captures_per_second * capture / workers
    if utilisation >= 1:
        return Waits(utilisation, None, None)
    queued = waiting_quantile(utilisation, SHARE) * load.inserts * capture / workers
    judged = math.ceil(load.inserts / workers) * capture
    behind = min(in_hand(worker) * capture, utilisation * (queued + judged))
    own = max(judged + behind, load.inserts / station_per_second)
    return Waits(utilisation, queued, queued + own + max(0.0, worker.single_seconds - capture))
