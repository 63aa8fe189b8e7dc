"""A Redis that is there and refuses: whatever the reason, each process waits, says so once, and goes on by itself."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis

from producer.contract.event import new_id
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import start_command
from tests.support import RedisProcess, start_workers, wait_until
from worker.monitoring.heartbeat import LearnHeartbeat, SchedulerHeartbeat, read


class Refusing:
    """Ways to bring a real Redis to a refusal, and back."""

    def __init__(self, server: RedisProcess):
        self.server = server
        self._folder = Path(server.files.command[1]).parent

    def _call(self, *command: str) -> Any:
        with self.server.client() as client:
            return client.execute_command(*command)

    @contextmanager
    def misconf(self) -> Iterator[None]:
        """It could not save: what would happen on a full disk."""
        block = self._folder / "dump.rdb"
        block.unlink(missing_ok=True)
        (block / "in-the-way").mkdir(parents=True)
        self._call("CONFIG", "SET", "save", "3600 1000000")
        self._save("err")
        yield
        (block / "in-the-way").rmdir()
        block.rmdir()
        self._save("ok")

    def _save(self, status: str) -> None:
        def done() -> bool:
            with self.server.client() as client:
                told: Any = client.info("persistence")
            if told["rdb_last_bgsave_status"] == status:
                return True
            if not told["rdb_bgsave_in_progress"] and not told["aof_rewrite_in_progress"]:
                self._call("BGSAVE")
            return False

        wait_until(done, what=f"a save that ends with {status}")

    @contextmanager
    def readonly(self) -> Iterator[None]:
        """A failover made it a replica, of a master that is not there yet."""
        self._call("REPLICAOF", "127.0.0.1", "1")
        yield
        self._call("REPLICAOF", "NO", "ONE")

    @contextmanager
    def masterdown(self) -> Iterator[None]:
        """The same, and it does not answer with what may be old."""
        self._call("CONFIG", "SET", "replica-serve-stale-data", "no")
        with self.readonly():
            yield
        self._call("CONFIG", "SET", "replica-serve-stale-data", "yes")

    @contextmanager
    def noreplicas(self) -> Iterator[None]:
        self._call("CONFIG", "SET", "min-replicas-to-write", "1")
        yield
        self._call("CONFIG", "SET", "min-replicas-to-write", "0")

    @contextmanager
    def oom(self) -> Iterator[None]:
        self._call("CONFIG", "SET", "maxmemory", "1")
        yield
        self._call("CONFIG", "SET", "maxmemory", "0")

    @contextmanager
    def denied(self) -> Iterator[None]:
        """Somebody has changed the user's rights."""
        self._call("ACL", "SETUSER", "default", *(f"-{command}" for command in DENIED))
        yield
        self._call("ACL", "SETUSER", "default", *(f"+{command}" for command in DENIED))

    @contextmanager
    def wrong_type(self) -> Iterator[None]:
        """Another program has put something else under the name of what is in hand."""
        self._call("DEL", "unacked")
        self._call("SET", "unacked", "a text")
        yield
        self._call("DEL", "unacked")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Somebody's script runs for ever."""
        self._call("CONFIG", "SET", "lua-time-limit", "50")
        with self.server.client() as client:
            client.connection_pool.connection_kwargs["socket_timeout"] = 0.2
            with pytest.raises(redis.TimeoutError):
                client.eval("while true do end", 0)
        with self.server.slowed():  # who waits for a message sees it only after 30 s without an answer
            yield
        wait_until(self._killed, what="the script's end")

    def _killed(self) -> bool:
        try:
            self._call("SCRIPT", "KILL")
        except redis.ResponseError as error:
            return "NOTBUSY" in str(error)
        return False

    @contextmanager
    def loading(self) -> Iterator[None]:
        """It has been started again and reads its data, for long."""
        with self.server.client() as client:
            for number in range(2000):
                client.set(f"ballast:{number}", "x" * 100)
        self._call("BGREWRITEAOF")
        wait_until(lambda: not self._persistence("aof_rewrite_in_progress", "aof_rewrite_scheduled"))
        self.server.kill()
        slow = ["--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024"]
        process = subprocess.Popen([*self.server.files.command, *slow], stdout=subprocess.DEVNULL)
        wait_until(lambda: self._persistence("loading"), what="a Redis that loads")
        yield
        process.kill()
        process.wait()
        self.server.start()

    def states(self) -> dict[str, Callable[[Refusing], Any]]:
        """All of them; Redis 6.2 cannot be made to answer while it loads little."""
        with self.server.client() as client:
            known: Any = client.config_get("loading-process-events-interval-bytes")
        return {reason: state for reason, state in STATES.items() if known or reason != "LOADING"}

    def _persistence(self, *names: str) -> bool:
        try:
            with self.server.client() as client:
                told: Any = client.info("persistence")
        except redis.RedisError:
            return False
        return any(told[name] for name in names)


DENIED = ("brpop", "lpush", "xadd", "zadd")
STATES: dict[str, Callable[[Refusing], Any]] = {
    "MISCONF": Refusing.misconf,
    "READONLY": Refusing.readonly,
    "MASTERDOWN": Refusing.masterdown,
    "NOREPLICAS": Refusing.noreplicas,
    "OOM": Refusing.oom,
    "BUSY": Refusing.busy,
    "no permissions": Refusing.denied,
    "LOADING": Refusing.loading,
}


@dataclass
class Plant:
    """All processes of a line, and a station."""

    refusing: Refusing
    logs: dict[str, Path]
    processes: list[subprocess.Popen[bytes]]
    environment: dict[str, str]
    station: Station
    outbox: Outbox
    photograph: bytes

    def submit(self) -> UUID:
        where = {"machine": "m", "head": "h", "operation": "o"}
        return self.station.submit(self.photograph, pocket=1, check_id=new_id(), check_size=1, **where).capture_id

    def told(self, reason: str) -> dict[str, int]:
        """How often each process has said that Redis is away or refuses for that reason."""
        # Redis 6.2 says of such a replica that it may only be read, before anything else.
        reasons = ("MASTERDOWN", "READONLY") if reason == "MASTERDOWN" else (reason,)
        count = {}
        for command, log in self.logs.items():
            lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
            count[command] = sum(
                line["event"] == "Redis is away, waiting" and any(each in line["problem"] for each in reasons)
                for line in lines
            )
        return count

    def connected(self) -> bool:
        """Whether all of them are at work."""
        run = Path(self.environment["INSERTS_DATA"]) / "run"
        beat = read(run / "beat.heartbeat", SchedulerHeartbeat)
        return (
            read(run / "worker.heartbeat").redis
            and read(run / "learn.heartbeat", LearnHeartbeat).redis
            and beat.ticks > 0
            and not beat.waits_for_redis
        )

    def assert_well(self) -> None:
        for process, log in zip(self.processes, self.logs.values(), strict=True):
            said = log.read_text()
            assert process.poll() is None, said
            assert "Traceback" not in said, said


@pytest.fixture
def plant(tmp_path: Path, redis_server: RedisProcess, sqlite_url: str) -> Iterator[Plant]:
    environment = os.environ | {
        "INSERTS_DATA": str(tmp_path),
        "INSERTS_REDIS_URL": redis_server.url,
        "INSERTS_DATABASE_URL": sqlite_url,
        "INSERTS_PROCESSES": "2",
        **dict.fromkeys(("INSERTS_REEXTRACT_EVERY", "INSERTS_RETRAIN_EVERY", "INSERTS_EVALUATE_EVERY"), "1"),
    }
    images, outbox = FolderStore(tmp_path / "images"), Outbox(tmp_path / "outbox.db")
    photograph = next(image for image, _ in labelled_images(1, seed=3, size=224))
    with Station("station-1", images, outbox, redis_server.url) as station:
        plant = Plant(Refusing(redis_server), {}, [], environment, station, outbox, photograph)
        yield plant
    for process in plant.processes:
        process.kill()
        process.wait()
    outbox.close()


def test_redis_refuses_at_the_start_and_in_mid_run_for_every_reason(plant: Plant, tmp_path: Path) -> None:
    states = plant.refusing.states()
    with states["MISCONF"](plant.refusing):
        plant.processes, plant.logs = start_workers(tmp_path, plant.environment)
        early = plant.submit()
        wait_until(lambda: min(plant.told("MISCONF").values()) >= 1, 120, "processes that wait from their start")
    for reason, state in states.items():
        with state(plant.refusing):
            wait_until(lambda: min(plant.told(reason).values()) >= 1, 60, f"processes that wait for {reason}")  # noqa: B023
    assert plant.station.wait_for([early], 60), plant.logs["run"].read_text()
    plant.assert_well()
    before = {reason: plant.told(reason) for reason in states}
    for reason, state in states.items():
        wait_until(plant.connected, 60, f"processes that are at work again before {reason}")
        # Where only memory is short, whoever has nothing to write goes on undisturbed: who waits for messages.
        noticing = ["beat"] if reason == "OOM" else list(plant.logs)
        with state(plant.refusing):
            waiting = plant.submit()
            wait_until(
                lambda: all(plant.told(reason)[each] > before[reason][each] for each in noticing),  # noqa: B023
                60,
                f"processes that wait for {reason}",
            )
            assert not plant.station.wait_for([waiting], 0)
        assert plant.station.wait_for([waiting], 60), reason
        assert max(plant.told(reason).values()) <= 8, "not a line at each look"
        plant.assert_well()
    assert len(plant.outbox) == 0


def test_a_key_that_another_program_took_is_waited_for_and_ends_no_worker(plant: Plant, tmp_path: Path) -> None:
    plant.logs = {"run": tmp_path / "run.log"}
    plant.processes = [
        start_command("insert-worker", "run", environment=plant.environment, log=plant.logs["run"])  # type: ignore[list-item]
    ]
    assert plant.station.wait_for([plant.submit()], 120), plant.logs["run"].read_text()
    with plant.refusing.wrong_type():
        waiting = plant.submit()
        wait_until(lambda: plant.told("WRONGTYPE")["run"], 60, "a worker that waits")
        assert not plant.station.wait_for([waiting], 0)
    assert plant.station.wait_for([waiting], 60), plant.logs["run"].read_text()
    plant.assert_well()
