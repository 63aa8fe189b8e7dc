"""One brought-up compose project, driven by the commands that an operator would type."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import redis

ROOT: Final = Path(__file__).parents[2]
T = TypeVar("T")

TAG: Final = "compose-test"
"""The images' version: they stay for the next run, whose builds then find everything that has not changed."""


class StackError(RuntimeError):
    """A command failed, or something did not come true in time; the message holds what was said."""


def compose_program() -> list[str] | None:
    """Compose as it is installed here: the engine's plugin, or the older program; None without a compose or engine."""

    def answers(*command: str) -> bool:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    if shutil.which("docker") is None or not answers("docker", "version"):
        return None
    if answers("docker", "compose", "version"):
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def docker(*arguments: str, check: bool = True) -> str:
    """What `docker` says on standard output.

    Raises:
        StackError: it failed.
    """
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise StackError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def wait_for(condition: Callable[[], T | None], seconds: float, what: str) -> T:
    """What the condition gives once it gives something.

    Raises:
        StackError: it gave nothing in time.
    """
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise StackError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.5)
    return found


class Stack:
    """The stack of `docker-compose.yml` under a name, with settings and secrets of its own."""

    def __init__(self, program: list[str], project: str, folder: Path, settings: dict[str, str]):
        """Nothing is started yet. `folder` takes the settings and secrets; `settings` stand above .env.example."""
        self.project = project
        self.secrets = folder / "secrets"
        settings = {"INSERTS_SECRETS": str(self.secrets), "INSERTS_VERSION": TAG, **settings}
        self.environment_file = folder / "env"
        lines = [f"{name}={value}" for name, value in settings.items()]
        self.environment_file.write_text((ROOT / ".env.example").read_text() + "\n".join(lines) + "\n")
        # What the person at this terminal has set for a plant of their own is none of this one's business.
        foreign = ("INSERTS_", "COMPOSE_", "SIMULATED_")
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        # The classic builder of an engine without BuildKit's plugin; the newer Compose takes no notice.
        self._environment.setdefault("DOCKER_BUILDKIT", "0" if program == ["docker-compose"] else "1")
        self._command = [*program, "--project-name", project, "--profile", "station"]
        self._files = ["-f", str(ROOT / "docker-compose.yml"), "-f", str(ROOT / "tests/compose/override.yml")]

    def compose(self, *arguments: str, check: bool = True, env_file: Path | None = None) -> str:
        """What compose says, on both streams.

        Raises:
            StackError: it failed.
        """
        chosen = ["--env-file", str(env_file or self.environment_file)]
        command = [*self._command, *self._files, *chosen, *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if check and done.returncode:
            raise StackError(f"compose {' '.join(arguments)}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout if check else done.stdout + done.stderr

    def up(self, workers: int) -> None:
        """Bring up what is not up, with so many inspect workers: the number stands in the settings, where it lasts."""
        lines = self.environment_file.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("INSPECT_WORKERS=")]
        self.environment_file.write_text("\n".join([*kept, f"INSPECT_WORKERS={workers}", ""]), encoding="utf-8")
        self.compose("up", "-d", *LINE)

    def up_of(self, *services: str) -> bool:
        """Bring up some services alone; whether that went well."""
        command = [*self._command, *self._files, "--env-file", str(self.environment_file), "up", "-d", *services]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, check=False)
        return done.returncode == 0

    def containers(self, service: str, *, all_states: bool = True) -> list[str]:
        """The containers of a service, by id."""
        labels = [f"label=com.docker.compose.project={self.project}", f"label=com.docker.compose.service={service}"]
        filters = [part for label in labels for part in ("--filter", label)]
        found = docker("ps", "-q", "--no-trunc", *(["-a"] if all_states else []), *filters).split()
        # What `run` made is no part of the service.
        return [each for each in found if self.inspect(each)["Config"]["Labels"].get(_ONE_OFF, "False") == "False"]

    def inspect(self, container: str) -> dict[str, Any]:
        """All that the engine knows about a container."""
        found: list[dict[str, Any]] = json.loads(docker("inspect", container))
        return found[0]

    def healthy(self, service: str, count: int = 1) -> bool:
        """Whether a service has so many containers, all of them healthy."""
        running = self.containers(service, all_states=False)
        wanted = {"healthy", "starting"} if service in _LOOKED_AT_SELDOM else {"healthy"}
        states = {self.inspect(each)["State"]["Health"]["Status"] for each in running}
        return len(running) == count and states <= wanted

    def wait_until_healthy(self, workers: int, seconds: float = 240) -> float:
        """Wait for the whole line with so many inspect workers; the seconds that it took."""
        started = time.monotonic()
        for service in LINE:
            count = workers if service == "inspect-worker" else 1
            wait_for(lambda s=service, n=count: self.healthy(s, n), seconds, f"{service} healthy, {count} of it")  # type: ignore[misc]
        return time.monotonic() - started

    def address(self, service: str, port: int) -> str:
        """Where a published port of a service is on this machine."""
        return docker("port", self.containers(service)[0], str(port)).splitlines()[0].strip()

    def secret(self, name: str) -> str:
        """A password, by its file's name."""
        return (self.secrets / name).read_text().strip()

    def database_url(self) -> str:
        """The URL of the stack's PostgreSQL, seen from this machine."""
        password = self.secret("database_reader_password")
        return f"postgresql+psycopg://inserts_reader:{password}@{self.address('postgres', 5432)}/inserts"

    def client(self, user: str = "metrics") -> redis.Redis:
        """A client of the stack's Redis, for `tests.faults.checker`: a user who may only count."""
        password = self.secret(f"redis/redis_{user}_password")
        url = f"redis://{user}:{password}@{self.address('redis', 6379)}/0"
        return redis.Redis.from_url(url, decode_responses=True, protocol=2)


LINE: Final = ("redis", "postgres", "inspect-worker", "learn-worker", "beat", "console", "station-1", "station-2")
"""The services that stay, in the order of their start."""

_LOOKED_AT_SELDOM: Final = ("station-1", "station-2")
"""Whose health is asked for the first time after a minute."""

_ONE_OFF = "com.docker.compose.oneoff"


class ContainerOutbox:
    """A station's outbox, counted by the station's own program, which first sends what waits."""

    def __init__(self, stack: Stack, station: str):
        self._stack = stack
        self._station = station

    def waiting(self, send: int) -> list[UUID]:
        """The captures that wait, after trying to send them for at most so many seconds."""
        said = self._stack.compose("run", "--rm", self._station, "outbox", "--send", str(send), "--json")
        rows = json.loads(said.strip().splitlines()[-1])
        return [UUID(row["event"]["capture_id"]) for row in rows]

    def __len__(self) -> int:
        return len(self.waiting(send=10))


def submitted(containers: list[str]) -> list[UUID]:
    """The captures that the simulated stations in these containers say they have submitted."""
    found = []
    for container in containers:
        for line in docker("logs", container).splitlines():
            if line.startswith('{"event": "submitted"'):
                found.append(UUID(json.loads(line)["capture_id"]))
    return found
