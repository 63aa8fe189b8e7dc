"""The Redis of a plant, started by deploy/redis/users.sh itself: a user for each role, with TLS where asked for."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.support import wait_until
from worker.embedded.redis_server import find_redis_server, free_port

SCRIPT = Path(__file__).parents[2] / "deploy" / "redis" / "users.sh"


def server_version() -> tuple[int, int]:
    """Major and minor version of the Redis that the tests run."""
    told = subprocess.run([find_redis_server(), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=(\d+)\.(\d+)", told)
    assert found, told
    return int(found[1]), int(found[2])


class PlantRedis:
    """A Redis with users; `secrets` is the folder of their password files."""

    def __init__(self, folder: Path, stations: Sequence[str], port: int | None = None):
        self.folder = folder
        self.port = port or free_port()
        self.tls: dict[str, Any] = {}
        self.secrets = folder / "secrets"
        self.secrets.mkdir(parents=True)
        self.data = folder / "data"
        self.data.mkdir()
        for user in ("worker", "connect", "metrics", "scaler", "admin", *stations):
            self.password_file(user).write_text(f"password-of-{user}\n")
        # The script asks for `redis-server`, whatever the program is called here.
        programs = folder / "bin"
        programs.mkdir()
        (programs / "redis-server").symlink_to(find_redis_server())
        self.environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "INSERTS_STATIONS": " ".join(stations),
            "INSERTS_REDIS_SECRETS": str(self.secrets),
            "INSERTS_REDIS_ACL_FILE": str(self.data / "users.acl"),
        }

    def password_file(self, user: str) -> Path:
        return self.secrets / f"redis_{user}_password"

    def url(self, user: str) -> str:
        """As settings have it: with the user, without the password."""
        return f"redis://{user}@127.0.0.1:{self.port}/0"

    def client(self, user: str) -> redis.Redis:
        password = self.password_file(user).read_text().strip()
        return redis.Redis(
            port=self.port, username=user, password=password, protocol=2, decode_responses=True, **self.tls
        )

    def command(self, *options: str) -> list[str]:
        return ["sh", str(SCRIPT), "--bind", "127.0.0.1", "--dir", str(self.data), *options]

    @contextmanager
    def running(self, tls: dict[str, Any] | None = None) -> Iterator[PlantRedis]:
        """The server for as long as the block; `tls` is what its own clients need, where it speaks that.

        Raises:
            RuntimeError: it does not start; the message is its log.
        """
        self.tls = tls or {}
        listen = ["--port", "0", "--tls-port", str(self.port)] if tls else ["--port", str(self.port)]
        file = self.folder / "redis.log"
        with file.open("ab") as log:
            server = subprocess.Popen(self.command(*listen), env=self.environment, stdout=log, stderr=log)
        try:
            wait_until(lambda: self._answers() or server.poll() is not None, what="an answer of Redis")
            if server.poll() is not None:
                raise RuntimeError(file.read_text())
            yield self
        finally:
            server.kill()
            server.wait()

    def _answers(self) -> bool:
        try:
            with self.client("admin") as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
