"""A master, its replica and three sentinels as real processes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.support import wait_until
from worker.embedded.redis_server import find_redis_server, free_port

MASTER = "plant"
PASSWORD = "of-the-servers"


class SentinelPlant:
    """Servers that three sentinels watch over; a master that dies is followed by its replica within seconds."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.servers = [free_port(), free_port()]
        self.sentinels = [free_port() for _ in range(3)]
        self.url = f"sentinel://:{PASSWORD}@{','.join(f'127.0.0.1:{port}' for port in self.sentinels)}/{MASTER}/0"

    @contextmanager
    def running(self) -> Iterator[SentinelPlant]:
        """All of them, for as long as the block."""
        master, replica = self.servers
        access = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", "appendonly yes", "repl-diskless-sync-delay 0"]
        try:
            self._start(master, *access)
            self._start(replica, *access, f"replicaof 127.0.0.1 {master}")
            wait_until(lambda: self._replicates(replica), 30, "a replica")
            for port in self.sentinels:
                self._start(
                    port,
                    f"sentinel monitor {MASTER} 127.0.0.1 {master} 2",
                    f"sentinel auth-pass {MASTER} {PASSWORD}",
                    f"sentinel down-after-milliseconds {MASTER} 2000",
                    f"sentinel failover-timeout {MASTER} 5000",
                    sentinel=True,
                )
            wait_until(lambda: all(self._knows_all(port) for port in self.sentinels), 30, "sentinels that know all")
            yield self
        finally:
            for process in self._processes.values():
                process.kill()
                process.wait()

    def master(self) -> int:
        """The port of the server that the last sentinel takes for the master."""
        with redis.Redis(port=self.sentinels[-1], protocol=2) as client:
            told: Any = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        return int(told[1])

    def kill(self, port: int) -> None:
        """Kill one of the processes."""
        self._processes[port].kill()
        self._processes[port].wait()

    def _start(self, port: int, *lines: str, sentinel: bool = False) -> None:
        folder = self._folder / str(port)
        folder.mkdir(parents=True)
        file = folder / "redis.conf"
        file.write_text("\n".join([f"port {port}", "bind 127.0.0.1", f'dir "{folder}"', *lines]) + "\n")
        command = [str(find_redis_server()), str(file), *(["--sentinel"] if sentinel else [])]
        with (folder / "log").open("wb") as log:
            self._processes[port] = subprocess.Popen(command, stdout=log, stderr=log)

    def _replicates(self, port: int) -> bool:
        try:
            with redis.Redis(port=port, password=PASSWORD, protocol=2) as client:
                told: Any = client.info("replication")
        except redis.RedisError:
            return False
        return told.get("master_link_status") == "up"

    def _knows_all(self, port: int) -> bool:
        try:
            with redis.Redis(port=port, protocol=2) as client:
                raw: Any = client.execute_command("SENTINEL", "MASTER", MASTER)
        except redis.RedisError:
            return False
        told = raw if isinstance(raw, dict) else dict(zip(raw[::2], raw[1::2], strict=True))
        count = {(key.decode() if isinstance(key, bytes) else key): value for key, value in told.items()}
        return (int(count["num-other-sentinels"]), int(count["num-slaves"])) == (2, 1)
