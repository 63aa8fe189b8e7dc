"""A day of a plant in a few minutes: what is done to the stack while two stations send, and what is seen of it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from sqlalchemy import create_engine, text

from tests.compose.stack import LINE, ContainerOutbox, Stack, StackError, docker, submitted, wait_for
from tests.faults.checker import Account, account, drain
from worker.monitoring.watchdog import TOO_SLOW_TO_STOP

AWAY_SECONDS = 5.0
"""How long Redis and PostgreSQL stay away after they were killed."""

CHILDREN = Path(__file__).with_name("children.py")
HEARTBEAT = "/run/inserts/heartbeat"
PROCESSES = 2
"""Processes that judge in each worker."""

STATIONS = ("station-1", "station-2")

Say = Callable[[str, object], None]


def refusals(stack: Stack, folder: Path, say: Say) -> None:
    """Nothing starts without passwords, and what is said tells why.

    Raises:
        StackError: it started, or said nothing of use.
    """
    bare = folder / "bare"
    bare.write_text("INSERTS_SECRETS=\n")
    _refused(stack.compose("config", check=False, env_file=bare), "run deploy/secrets.sh")
    say("refused: .env without a folder of secrets", "at once, by compose")

    password = stack.secrets / "database_worker_password"
    chosen = password.read_text()
    for what, held, word in (
        ("an empty password", "", "database_worker_password is empty"),
        ("the example's password", "change-me-please-now\n", "database_worker_password is an example's"),
    ):
        _write(password, held)
        if stack.up_of("redis", "postgres"):
            raise StackError(f"the stack started with {what}")
        _refused(stack.compose("logs", "--no-color", "check-secrets", check=False), word)
        if any(stack.containers(service, all_states=False) for service in ("redis", "postgres")):
            raise StackError(f"Redis or PostgreSQL runs with {what}")
        say(f"refused: {what}", "nothing started, said why")
    _write(password, chosen)


def confined(stack: Stack) -> int:
    """How many containers run, each without root, without capabilities, on a root it cannot write, within limits.

    Raises:
        StackError: one does not.
    """
    found = [each for service in LINE for each in stack.containers(service, all_states=False)]
    for container in found:
        known = stack.inspect(container)
        host = known["HostConfig"]
        problems = [
            problem
            for problem, there in {
                "root": known["Config"]["User"] in ("", "0", "root"),
                "a writable root": not host["ReadonlyRootfs"],
                "capabilities": host["CapDrop"] != ["ALL"] or host["CapAdd"],
                "new privileges": not any(option.startswith("no-new-privileges") for option in host["SecurityOpt"]),
                "no memory limit": not host["Memory"],
                "no CPU limit": not host["NanoCpus"],
            }.items()
            if there
        ]
        if problems:
            raise StackError(f"{known['Name']} has {', '.join(problems)}")
    return len(found)


class Day:
    """The faults and changes, one after another, each struck while captures are under way."""

    def __init__(self, stack: Stack, say: Say):
        self._stack = stack
        self._say = say
        self._stations = [container for station in STATIONS for container in stack.containers(station)]

    def first_model(self) -> None:
        """Train a first model inside the stack; from then on captures go through the network."""
        script = (
            "insert-station simulate --to /tmp/labelled --images 120 && insert-worker train /tmp/labelled --promote"
        )
        self._stack.compose("run", "--rm", "--entrypoint", "sh", "learn-worker", "-c", script)
        wait_for(self._someone_decides, 120, "a verdict by the model")
        self._say("a model trained and in charge", "yes")

    def kill_a_worker(self) -> None:
        """`docker kill` one of three inspect workers; compose brings it back."""
        victim = self._at_work(self._stack.containers("inspect-worker")[0])
        docker("kill", victim)
        self._stack.up(3)
        self._say("a worker killed (docker kill), all healthy after", self._healthy_after())

    def crash_a_worker(self) -> None:
        """`kill -9` a worker's process; the engine's restart policy brings it back, without anybody's help."""
        victim = self._at_work(self._stack.containers("inspect-worker")[1])
        docker("exec", victim, "python", "-c", f"import os; os.kill({self._processes(victim)[0]}, 9)", check=False)
        wait_for(lambda: self._stack.inspect(victim)["RestartCount"] >= 1, 60, "a restart by the engine")
        self._say("a worker crashed (kill -9), all healthy after", self._healthy_after())

    def kill_children(self) -> None:
        """`kill -9` each judging process of a worker in turn: it is replaced, and neither worker nor neighbour ends."""
        worker = self._stack.containers("inspect-worker")[2]
        restarts = self._stack.inspect(worker)["RestartCount"]
        parent, first = self._processes(worker)
        if len(first) != PROCESSES:
            raise StackError(f"a worker has {len(first)} processes that judge, not {PROCESSES}")
        started = time.monotonic()
        for child in first:
            self._at_work(worker)
            before = self._processes(worker)[1]
            docker("exec", worker, "python", "-c", f"import os; os.kill({child}, 9)")
            after = wait_for(lambda b=before, c=child: self._replaced(worker, c, len(b)), 60, f"another for {child}")  # type: ignore[misc]
            if not before - {child} <= after:
                raise StackError(f"with process {child} others ended: {before} before, {after} after")
        if self._processes(worker)[0] != parent or self._stack.inspect(worker)["RestartCount"] != restarts:
            raise StackError("a worker ended with one of its processes")
        took = time.monotonic() - started
        self._say("each process of a worker killed, replaced, the worker stayed", f"{len(first)} in {took:.0f} s")

    def kill_service(self, service: str) -> None:
        """`docker kill` Redis or PostgreSQL, and start it again after a while."""
        victim = self._at_work(self._stack.containers(service)[0])
        docker("kill", victim)
        time.sleep(AWAY_SECONDS)
        docker("start", victim)
        self._say(f"{service} killed, away {AWAY_SECONDS:.0f} s, all healthy after", self._healthy_after())

    def scale(self, workers: int) -> None:
        """Scale the inspect workers."""
        self._at_work("")
        started = time.monotonic()
        self._stack.up(workers)
        took = time.monotonic() - started
        self._stack.wait_until_healthy(workers)
        self._say(f"scaled to {workers}, compose took", f"{took:.0f} s")

    def upgrade(self) -> None:
        """Upgrade the schema from the revision before the newest, with data in it, while the stations go on.

        The tables are first taken back one revision. Then as in the operations manual: the workers stop, `up` runs
        the migration, and the workers start once it is done.
        """
        workers = ("inspect-worker", "learn-worker", "beat", "console")
        started = time.monotonic()
        self._stack.compose("stop", *workers)
        took = time.monotonic() - started
        stopped = [self._stack.inspect(each) for worker in workers for each in self._stack.containers(worker)]
        codes = {each["Name"]: each["State"]["ExitCode"] for each in stopped}
        killed = [name for name, code in codes.items() if code not in (0, TOO_SLOW_TO_STOP)]
        if killed:
            raise StackError(f"told to stop, these were killed, or failed: {killed}; exit codes {codes}")
        clean = list(codes.values()).count(0)
        self._say(
            f"{len(codes)} workers told to stop, {clean} finished all in hand, none was killed, after", f"{took:.0f} s"
        )
        back = "from db.engine import migrate; from db.settings import DatabaseSettings as S; u = S().url; "
        back += "migrate.downgrade(u, '-1'); print(migrate.current(u))"
        old = self._stack.compose("run", "--rm", "--no-deps", "--entrypoint", "python", "tools", "-c", back).split()[-1]
        before = self._verdicts()
        self._stack.up(3)
        self._stack.wait_until_healthy(3)
        new = self._migrated()
        after = self._verdicts()
        lost = {capture: said for capture, said in before.items() if after.get(capture) != said}
        if not before or lost:
            raise StackError(f"of {len(before)} verdicts {len(lost)} did not come through the migration")
        self._say(f"schema {old} → {new}, verdicts that came through", f"{len(before)} of {len(before)}")

    def end(self, drain_seconds: float = 240) -> Account:
        """Stop the stations, see that all they handed in has its end, and count."""
        self._stack.compose("stop", *STATIONS)
        outboxes = {station: ContainerOutbox(self._stack, station) for station in STATIONS}
        waiting = {capture for outbox in outboxes.values() for capture in outbox.waiting(send=0)}
        handed_in: set[UUID] = {*submitted(self._stations), *waiting}
        self._say("waiting in the outboxes when the stations stopped", len(waiting))
        left = drain(self._stack, list(outboxes.values()), drain_seconds)
        return account(self._stack.database_url(), handed_in, left)

    def denied(self) -> list[str]:
        """What Redis refused to whom since its start, but for CLIENT SETINFO, which 7.0 does not know."""
        entries = self._stack.client("admin").acl_log()
        told = [f"{entry['username']}: {entry['object']}" for entry in entries]
        return sorted({each for each in told if "client" not in each})

    def _processes(self, worker: str) -> tuple[int, set[int]]:
        """A worker's own process in its container, by its heartbeat, and those that judge: its children."""
        found = json.loads(docker("exec", worker, "python", "-c", CHILDREN.read_text(), HEARTBEAT))
        return found["parent"], set(found["children"])

    def _replaced(self, worker: str, child: int, number: int) -> set[int] | None:
        children = self._processes(worker)[1]
        return children if child not in children and len(children) == number else None

    def _healthy_after(self) -> str:
        return f"{self._stack.wait_until_healthy(3):.0f} s"

    def _at_work(self, victim: str) -> str:
        """The victim, at a moment when new captures have just been handed in."""
        before = len(submitted(self._stations))
        wait_for(lambda: len(submitted(self._stations)) > before, 120, "new captures")
        return victim

    def _someone_decides(self) -> bool:
        return self._count("SELECT count(*) FROM verdicts WHERE model_id IS NOT NULL") > 0

    def _count(self, statement: str) -> int:
        engine = create_engine(self._stack.database_url())
        with engine.connect() as connection:
            found = int(connection.execute(text(statement)).scalar_one())
        engine.dispose()
        return found

    def _verdicts(self) -> dict[str, str]:
        engine = create_engine(self._stack.database_url())
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT capture_id, model_id, outcome FROM verdicts")).all()
        engine.dispose()
        return {f"{capture} {model}": outcome for capture, model, outcome in rows}

    def _migrated(self) -> str:
        engine = create_engine(self._stack.database_url())
        with engine.connect() as connection:
            found = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
        engine.dispose()
        return found


def _refused(said: str, word: str) -> None:
    if word not in said:
        raise StackError(f"the refusal does not say {word!r}:\n{said}")


def _write(file: Path, content: str) -> None:
    # Written anew in place: a bind mount of a file holds on to the file that was there.
    file.chmod(0o600)
    file.write_text(content)
    file.chmod(0o444)


def memory_mib(project: str) -> float:
    """The memory that the project's containers take now, all together, in MiB."""
    total = 0.0
    names = docker("ps", "-q", "--filter", f"label=com.docker.compose.project={project}").split()
    said = subprocess.run(
        ["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", *names],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    units = {"GiB": 1024.0, "MiB": 1.0, "KiB": 1 / 1024}
    for line in said.splitlines():
        used = line.split("/")[0].strip()
        total += next(
            (float(used.removesuffix(unit)) * each for unit, each in units.items() if used.endswith(unit)), 0.0
        )
    return total
