"""The embedded Redis on each address that a machine has, and ports that somebody else has."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from producer.settings import REDIS_URL_FILE
from tests.forked_commands import run_command
from worker.embedded.bind_address import Bind, own_address
from worker.embedded.redis_server import free_port, prepare_redis
from worker.embedded.supervisor import Supervisor
from worker.embedded.system import EmbeddedSystem
from worker.settings import WorkerSettings

ALL = ["0.0.0.0", "::"]  # noqa: S104 - that is the point
OWN = [address for family in (socket.AF_INET, socket.AF_INET6) if (address := own_address(family))]


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1", "localhost", "127.0.0.1,::1", *ALL, *OWN])
def test_redis_comes_up_on_any_address_of_this_machine_and_says_how_to_reach_it(bind: str, tmp_path: Path) -> None:
    if ":" in bind and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    where, port = Bind.parse(bind), free_port()
    with Supervisor() as supervisor:
        system = EmbeddedSystem(WorkerSettings(data=tmp_path), supervisor)
        system.check_ports(port, where)
        system.start_redis(port, where)
        url = (tmp_path / REDIS_URL_FILE).read_text().strip()
        with redis.Redis.from_url(url) as client:
            assert client.ping()
        if bind in (*ALL, *OWN) and OWN:
            assert "127.0.0.1" not in url
            assert "[::1]" not in url or len(OWN) == 1
        with pytest.raises(redis.AuthenticationError), redis.Redis.from_url(f"redis://{where.host}:{port}/0") as client:
            client.ping()


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_worker_that_waits_is_waited_for_and_its_last_words_are_told(tmp_path: Path) -> None:
    """Here for a Redis that is not there; it would be the same for one that refuses."""
    told: list[str] = []
    with Supervisor() as supervisor:
        system = EmbeddedSystem(WorkerSettings(data=tmp_path), supervisor)
        system.migrate()
        prepare_redis(tmp_path, free_port())
        log = tmp_path / "logs" / "worker.log"
        child = system.start_worker(
            0.0, lambda: bool(told) and "Redis is away, waiting" in log.read_text(), on_wait=told.append
        )
        assert child.exit_code() is None
        assert len(told) == 1


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens; nobody has the one below it."""
    while True:
        with socket.socket() as listener, socket.socket() as below:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            try:
                below.bind(("127.0.0.1", port - 1))
            except OSError:
                continue
            below.close()
            listener.listen()
            yield port
            return


def standalone(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ("standalone", "--data", str(folder / "line"), *options)
    return run_command("insert-worker", *command, environment=os.environ | environment)


def test_a_port_in_use_is_said_before_anything_is_started(tmp_path: Path, taken: int) -> None:
    done = standalone(tmp_path, "--port", str(taken))
    assert done.returncode == 2
    assert f"port {taken} is in use (by " in done.stderr
    assert "choose another with --port" in done.stderr
    assert not (tmp_path / "line" / "redis").exists()
    assert not (tmp_path / "line" / "inserts.db").exists()


@pytest.mark.parametrize("below", [0, 1])
def test_a_metrics_port_in_use_is_said_before_anything_is_started(tmp_path: Path, taken: int, below: int) -> None:
    """The worker's, and the learner's, which is the next one."""
    done = standalone(tmp_path, "--port", str(free_port()), INSERTS_METRICS_PORT=str(taken - below))
    assert done.returncode == 2
    assert f"port {taken} is in use (by " in done.stderr
    assert "INSERTS_METRICS_PORT" in done.stderr
    assert not (tmp_path / "line" / "redis").exists()


@pytest.mark.parametrize("bind", ["198.51.100.7", "no-such-name.invalid"])
def test_an_address_that_is_not_this_machine_s_is_said_at_once(tmp_path: Path, bind: str) -> None:
    done = standalone(tmp_path, "--port", str(free_port()), "--bind", bind)
    assert done.returncode == 2
    assert bind in done.stderr
    assert "address" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "line" / "redis").exists()
