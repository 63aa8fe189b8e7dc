"""What stops a worker before it takes its first message, and what it says then."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from producer.contract.event import INSPECT_QUEUE
from producer.delivery.redis_client import EventSender
from producer.storage.folder import FolderStore
from tests.support import RedisProcess, photograph, program, stored_event


def run(folder: Path, redis_server: RedisProcess, *options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"INSERTS_DATA": str(folder), "INSERTS_REDIS_URL": redis_server.url}
    environment["https_proxy"] = "http://127.0.0.1:1"  # nobody listens there: a machine without a connection
    command = [program("insert-worker"), "run", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def waiting(tmp_path: Path, redis_server: RedisProcess) -> RedisProcess:
    """A Redis with one event in the queue."""
    EventSender(redis_server.url).send(stored_event(FolderStore(tmp_path / "images"), photograph()))
    return redis_server


def test_without_a_database_it_says_what_to_do(tmp_path: Path, waiting: RedisProcess) -> None:
    ended = run(tmp_path, waiting)
    assert ended.returncode == 2
    assert "insert-db upgrade" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert waiting.client().llen(INSPECT_QUEUE) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--backbone", "vgg16:fc1", "--weights", "no-such-file.h5"], "no-such-file.h5"),
        (["--backbone", "vgg16:fc1"], "insert-worker weights import"),
        (["--backbone", "vgg17:fc1"], "vgg16"),
        (["--backbone", "vgg16:fc3"], "fc2"),
    ],
)
def test_without_its_weights_it_takes_no_message(
    tmp_path: Path, waiting: RedisProcess, options: list[str], said: str
) -> None:
    upgrade = [program("insert-db"), "--data", str(tmp_path), "upgrade"]
    subprocess.run(upgrade, check=True, capture_output=True)
    ended = run(tmp_path, waiting, *options)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert waiting.client().llen(INSPECT_QUEUE) == 1
