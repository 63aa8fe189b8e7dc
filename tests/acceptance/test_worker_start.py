"""What stops a worker before it takes its first message, and what it says then."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from db.engine import migrate
from db.engine.database import Database
from db.learning import model_registry
from producer.contract.event import INSPECT_QUEUE
from producer.delivery.redis_client import EventSender
from producer.storage.folder import FolderStore
from tests.forked_commands import run_command
from tests.network_support import BACKBONE
from tests.support import RedisProcess, photograph, stored_event
from worker.models.line_model import LINE_CLASSES
from worker.models.linear_svm import LinearModel
from worker.models.registry import model_of
from worker.models.store import save
from worker.networks.store import NetworkStore


def run(folder: Path, redis_server: RedisProcess) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"INSERTS_DATA": str(folder), "INSERTS_REDIS_URL": redis_server.url}
    return run_command("insert-worker", "run", environment=environment)


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


@pytest.mark.parametrize("damage", ["gone", "altered"])
def test_without_its_champion_s_network_it_takes_no_message(
    tmp_path: Path, waiting: RedisProcess, networks: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    copied = tmp_path / "networks"
    shutil.copytree(networks, copied)
    monkeypatch.setenv("INSERTS_NETWORKS", str(copied))
    migrate.upgrade(f"sqlite:///{tmp_path / 'inserts.db'}")
    network = NetworkStore(str(copied)).open(BACKBONE)
    at = datetime.now(UTC)
    settings = {"backbone": BACKBONE, "fingerprint": network.fingerprint, "trained_on": 1, "created_at": at}
    planes = LinearModel(LINE_CLASSES, np.ones((1, network.feature_size), np.float32), np.zeros(1))
    manifest = save(tmp_path / "models" / "m", planes, **settings, settings={}, metrics={}, network=network.digest)
    with Database(f"sqlite:///{tmp_path / 'inserts.db'}").transaction() as session:
        model_registry.register(session, model_of(manifest, "m"))
        model_registry.promote(session, manifest.model_id, by="test", reason="test", at=at)
    file = copied / f"{network.digest}.tflite"
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"?")

    ended = run(tmp_path, waiting)
    assert ended.returncode == 2
    assert f"model {manifest.model_id} cannot judge without its network" in ended.stderr
    assert "build it again" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert waiting.client().llen(INSPECT_QUEUE) == 1
