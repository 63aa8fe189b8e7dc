"""The network that learning extracts with: taken from the store, or built into it where it is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from db.engine import migrate
from db.engine.database import Database
from producer.storage.folder import FolderStore
from tests.integration.conftest import on_one_engine
from tests.learning_support import Reviewer
from tests.network_support import BACKBONE
from worker.backbones.names import WeightsMissing
from worker.learning.network import ready_network
from worker.networks.representative import FEWEST
from worker.networks.store import NetworkStore
from worker.settings import WorkerSettings

EARLY = "efficientnet_lite0:block0_out+gap"


@pytest.fixture
def ready(tmp_path: Path, database: Database) -> Any:
    """What makes a network ready in a store of the test's own."""

    def made(backbone: str, **more: Any) -> Any:
        settings = WorkerSettings(data=tmp_path, backbone=backbone, networks=str(tmp_path / "networks"), **more)
        return ready_network(settings, database, FolderStore(tmp_path / "images"))

    return made


def test_what_is_there_is_taken_without_tensorflow(networks: Path) -> None:
    code = f"""
import sys
from worker.learning.network import ready_network
from worker.settings import WorkerSettings
print(ready_network(WorkerSettings(networks={str(networks)!r}, backbone={BACKBONE!r}), None, None).name)
assert not {{"tensorflow", "keras"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, BACKBONE), done.stderr


@on_one_engine
def test_what_is_missing_is_built_once(ready: Any, tmp_path: Path) -> None:
    network = ready(EARLY)
    (kept,) = NetworkStore(str(tmp_path / "networks")).manifests()
    assert (network.digest, network.feature_size, kept.representative) == (kept.digest, 16, None)
    again = ready(EARLY.replace("gap", "max"))
    assert again.digest == kept.digest
    assert again.fingerprint != network.fingerprint
    with pytest.raises(WeightsMissing, match="nothing of that name"):
        ready(EARLY, weights="nowhere.pth")


@on_one_engine
@pytest.mark.parametrize(("each", "origin"), [(FEWEST // 2 - 1, "48 drawn"), (FEWEST // 2, f"{FEWEST} labelled")])
def test_int8_is_measured_on_the_labelled_set_where_that_is_enough(
    ready: Any, database: Database, tmp_path: Path, each: int, origin: str
) -> None:
    reviewer = Reviewer(database, FolderStore(tmp_path / "images"))
    reviewer.review(each)
    assert ready(f"{EARLY}+int8").manifest.representative.startswith(origin)


def test_without_what_builds_it_is_said_what_to_install(tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["tensorflow"] = None
sys.argv = ["insert-worker", "extract", "--data", {str(tmp_path)!r}, "--backbone", {EARLY!r}]
from worker.commands.main import main
main()
"""
    migrate.upgrade(f"sqlite:///{tmp_path / 'inserts.db'}")
    database = Database(f"sqlite:///{tmp_path / 'inserts.db'}")
    Reviewer(database, FolderStore(tmp_path / "images")).review(1)
    database.close()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"there is no network {EARLY}" in done.stderr
    assert "pip install 'insert-inspection[learn]'" in done.stderr
    assert "Traceback" not in done.stderr
