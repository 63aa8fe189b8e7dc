"""Real services that the tests start themselves, and what they share."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from worker.redis_server import free_port, prepare_redis

SHARED = Path(__file__).parents[2] / "shared"
"""Real photographs and weights beside the repository; tests that want them skip where they are not."""


class RedisProcess:
    """A real Redis of one test, which may be killed and started again."""

    def __init__(self, folder: Path):
        self.files = prepare_redis(folder, free_port())
        self.url = self.files.url
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self.files.command, stdout=subprocess.DEVNULL)
        self.files.wait_until_up(timeout=20)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path / "redis-of-the-test")
    server.start()
    yield server
    server.kill()


def wait_until(condition: Callable[[], object], timeout: float = 30.0, what: str = "the condition") -> None:
    """Wait for a condition; fail the test when it does not come true in time."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not come true within {timeout:.0f} s")
        time.sleep(0.02)


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> Callable[..., None]:
    return wait_until


@pytest.fixture
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared photographs and weights are not here")
    return SHARED
