"""A line under continuous load while its parts are killed at random; then the count of what became of each capture."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from producer.contract.event import new_id
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images, write_labelled_folder
from producer.station.station import Received, Station
from producer.storage.folder import FolderStore
from tests.faults.checker import Account, a_minute_later, account, drain, judged_of
from tests.faults.services import FailingDatabase, Workers
from tests.faults.told import Told, ToldBroker
from tests.forked_commands import run_command
from tests.support import RedisProcess

KINDS = (
    *("worker_kill", "process_kill", "redis_kill", "redis_wipe", "database_restart"),
    *("broker_kill", "connector_kill"),
)


@dataclass(frozen=True)
class Plan:
    """How many faults of each kind, from which seed, under which load."""

    worker_kills: int
    process_kills: int
    redis_kills: int
    redis_wipes: int
    database_restarts: int
    seed: int
    broker_kills: int = 0
    connector_kills: int = 0
    stations: int = 3
    workers: int = 2
    captures_per_second: float = 10.0
    pause: tuple[float, float] = (0.5, 3.0)
    sooner: bool = False
    """What dead workers had in hand comes again at the end, not a minute after they took it."""
    drain_seconds: float = 300.0

    def schedule(self) -> list[str]:
        """The faults in their random order."""
        kinds = [kind for kind in KINDS for _ in range(getattr(self, f"{kind}s"))]
        random.Random(self.seed).shuffle(kinds)  # noqa: S311 - a schedule, no secret
        return kinds


@dataclass(frozen=True)
class Outcome:
    """What became of everything that was submitted, what a broker was told of it, and how long it took."""

    account: Account
    told: Told | None
    longest_seconds: dict[str, float]
    seconds: float


@dataclass
class Load:
    """Several stations of one process that submit without end, each with an outbox of its own."""

    folder: Path
    redis_url: str
    plan: Plan
    submitted: dict[UUID, float] = field(default_factory=dict)
    answered: dict[UUID, float] = field(default_factory=dict)
    outboxes: list[Outbox] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._images = [image for image, _ in labelled_images(24, seed=self.plan.seed, size=224)]
        self._stop = threading.Event()
        self._leave = threading.Event()
        self._threads = [threading.Thread(target=self._station, args=(n,)) for n in range(self.plan.stations)]
        for thread in self._threads:
            thread.start()

    def stop_submitting(self) -> None:
        """No new captures; the stations go on sending and listening."""
        self._stop.set()

    def close(self) -> None:
        """The stations leave."""
        self._stop.set()
        self._leave.set()
        for thread in self._threads:
            thread.join()

    def _station(self, number: int) -> None:
        outbox = Outbox(self.folder / f"outbox-{number}.db")
        self.outboxes.append(outbox)
        store = FolderStore(self.folder / "images")
        chance = random.Random(self.plan.seed * 1000 + number)  # noqa: S311
        with Station(f"station-{number}", store, outbox, self.redis_url, self._hear) as station:
            while not self._stop.wait(chance.expovariate(self.plan.captures_per_second / self.plan.stations)):
                capture = new_id()
                self.submitted[capture] = time.time()
                station.submit(
                    chance.choice(self._images),
                    machine="mill",
                    head=f"head-{number}",
                    pocket=chance.randint(1, 30),
                    operation="op",
                    check_id=new_id(),
                    check_size=1,
                    capture_id=capture,
                )
            self._leave.wait()

    def _hear(self, received: Received) -> None:
        capture = getattr(received.answer, "capture_id", None)
        if capture is not None:
            self.answered.setdefault(capture, time.time())


def storm(
    plan: Plan,
    folder: Path,
    server: RedisProcess,
    database: FailingDatabase,
    say: Callable[[str], None],
    broker: ToldBroker | None = None,
) -> Outcome:
    """Run the plan and count; `broker` is told everything, and killed as often as the plan says."""
    started = time.time()
    environment = os.environ | {
        "INSERTS_DATA": str(folder),
        "INSERTS_REDIS_URL": server.url,
        "INSERTS_DATABASE_URL": database.url,
        "INSERTS_PROCESSES": "2",
    }
    # With a model in charge every capture goes all the way, through the network too.
    write_labelled_folder(folder / "labelled", 40, seed=plan.seed, size=128)
    train = ("train", str(folder / "labelled"), "--promote")
    run_command("insert-worker", *train, environment=environment).check_returncode()
    workers = Workers(plan.workers, folder, environment)
    load = Load(folder, server.url, plan)
    moments: list[tuple[str, float]] = []
    try:
        chance = random.Random(plan.seed + 1)  # noqa: S311
        for number, kind in enumerate(plan.schedule(), 1):
            time.sleep(chance.uniform(*plan.pause))
            moments.append((kind, time.time()))
            _strike(kind, chance, server, database, workers, broker)
            waiting = len(load.submitted) - len(load.answered)
            say(f"{number:4d} {kind:<17} {len(load.submitted):6d} submitted, {waiting:5d} not answered yet")
        load.stop_submitting()
        if plan.sooner:
            a_minute_later(server)
        left = drain(server, load.outboxes, plan.drain_seconds)
    finally:
        try:
            load.close()
        finally:  # else workers would be started again for ever
            workers.close()
    for outbox in load.outboxes:
        outbox.close()
    found = account(database.url, load.submitted.keys(), left)
    told = broker and broker.account(judged_of(database.url), plan.drain_seconds)
    return Outcome(found, told, _longest(load, moments), round(time.time() - started, 1))


def _strike(
    kind: str,
    chance: random.Random,
    server: RedisProcess,
    database: FailingDatabase,
    workers: Workers,
    broker: ToldBroker | None,
) -> None:
    if kind == "worker_kill":
        if not workers.kill_one(chance.random()):
            raise RuntimeError("no worker came up to be killed; see the workers' logs")
    elif kind == "process_kill":
        if not workers.kill_one_process(chance.random()):
            raise RuntimeError("no worker has a process to be killed; see the workers' logs")
    elif kind == "redis_kill":
        server.kill()
        time.sleep(chance.uniform(0.0, 2.0))
        server.start()
    elif kind == "redis_wipe" and broker is None:
        server.client().flushall()
    elif kind == "redis_wipe" and broker is not None:
        broker.wipe()
    elif kind == "broker_kill" and broker is not None:
        broker.kill_broker(chance)
    elif kind == "connector_kill" and broker is not None:
        broker.kill_connector(chance)
    else:
        database.fail(chance.uniform(0.5, 3.0))


def _longest(load: Load, moments: list[tuple[str, float]]) -> dict[str, float]:
    """For each kind of fault, the longest time from submit to verdict among the captures that were under way at one."""
    longest = dict.fromkeys(KINDS, 0.0)
    for capture, submitted in load.submitted.items():
        answered = load.answered.get(capture)
        for kind, moment in moments:
            if answered is not None and submitted <= moment <= answered:
                longest[kind] = max(longest[kind], answered - submitted)
    return {kind: round(value, 1) for kind, value in longest.items()}
