"""`insert-worker extract`, `train`, `evaluate` and `models`, as a person types them."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from db.engine.database import Database
from db.learning import model_registry
from db.learning.model_registry import Model
from db.people import audit
from producer.storage.folder import FolderStore
from tests.database_support import new_sqlite
from tests.forked_commands import run_command
from tests.learning_support import Reviewer
from tests.network_support import BACKBONE
from worker.features.catalogue import begin
from worker.models.line_model import LINE_CLASSES
from worker.models.linear_svm import LinearModel
from worker.models.store import save
from worker.networks.store import NetworkStore


class Commands:
    def __init__(self, folder: Path):
        self.data = folder / "line"
        self.data.mkdir()
        new_sqlite(self.data / "inserts.db")
        self.database = Database(f"sqlite:///{self.data / 'inserts.db'}")
        self.reviewer = Reviewer(self.database, FolderStore(self.data / "images"))

    def __call__(self, *options: str) -> subprocess.CompletedProcess[str]:
        return run_command("insert-worker", *options, "--data", str(self.data))

    def json(self, *options: str) -> dict:
        done = self(*options, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *options: str) -> str:
        done = self(*options)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture
def worker(networks: Path, tmp_path: Path) -> Commands:
    return Commands(tmp_path)


def test_learning_by_hand(worker: Commands) -> None:
    assert "no model yet" in worker("models", "list").stdout
    assert "no reviews to learn from" in worker.refused("train")
    captures = worker.reviewer.review(12)
    assert worker.json("extract") == {"written": 24, "elsewhere": 0, "unusable": []}
    trained = worker("train")
    assert trained.returncode == 0, trained.stderr
    assert "24 images" in trained.stdout
    # Twelve inserts of a side do not support that one in twenty is missed at most.
    assert "of 24 inserts" in " ".join(trained.stdout.split())
    assert "more labelled inserts are missing to promise 1%" in " ".join(trained.stdout.split())
    assert "is promoted" in trained.stdout
    assert "✓ nobody is in charge yet" in trained.stdout

    listed = worker.json("models", "list")
    name = listed["champion"]
    with worker.database.reading() as session:
        (entry,) = audit.recent(session)
    assert (entry.by.partition(":")[0], entry.detail["said by"]) == ("terminal", "insert-worker train")
    assert [model["model_id"] for model in listed["models"]] == [name]
    shown = worker("models", "show").stdout
    for part in (
        listed["models"][0]["snapshot_id"],
        "band",
        "nothing is intact",
        "which the labels do not support yet",
        "more labelled inserts are missing to promise 1%",
        "Venn-Abers, of 24 photographs",
        "the probabilities take 50.0% damaged for usual, as 24 labels",
        "calibration",
        "above guessing",
        "heads        mill-1 H0",
        "learned from 24 images of ",
        "insert-worker train",
    ):
        assert part in shown
    assert "from its nearest of 24 learnt ones, as some 4.0% of photographs like these are" in shown
    told = worker.json("models", "show", name)
    assert told["manifest"]["band"]["lower"] < told["manifest"]["band"]["upper"]
    assert told["manifest"]["metrics"]["promise"]["inserts"] == 24
    assert told["decision"]["promote"] is True
    assert worker.json("evaluate", name) == told["decision"]  # told, not measured again

    # A labelled set whose labels were shuffled leads to a model that is not promoted.
    worker.reviewer.shuffle([*captures, *worker.reviewer.review(8)])
    poisoned = worker("train")
    assert poisoned.returncode == 0, poisoned.stderr
    assert "is not promoted" in poisoned.stdout
    assert "✗" in poisoned.stdout
    listed = worker.json("models", "list")
    assert (len(listed["models"]), listed["champion"]) == (2, name)
    assert "★" in worker("models", "list").stdout


def made(worker: Commands, value: float, *, with_network: bool = True) -> str:
    """A model in charge, as `insert-worker train FOLDER` leaves one."""
    network = NetworkStore(os.environ["INSERTS_NETWORKS"]).open(BACKBONE)
    planes = LinearModel(LINE_CLASSES, np.full((1, network.feature_size), value, np.float32), np.zeros(1))
    settings = {"fingerprint": network.fingerprint, "created_at": datetime.now(UTC), "trained_on": 10}
    settings |= {"backbone": BACKBONE}
    digest = network.digest if with_network else None
    name = f"m{value}"
    manifest = save(worker.data / "models" / name, planes, **settings, settings={}, metrics={}, network=digest)
    row = Model(
        model_id=manifest.model_id,
        classes=LINE_CLASSES,
        metrics={},
        artefact=name,
        digest=manifest.classifier_sha256,
        network_digest=digest,
        **settings,
    )
    with worker.database.transaction() as session:
        model_registry.register(session, row)
        model_registry.promote(session, row.model_id, by="train", reason="trained", at=datetime.now(UTC))
    return row.model_id


def test_a_person_gives_and_takes_the_roles(worker: Commands) -> None:
    names = [made(worker, 1.0), made(worker, 2.0)]
    why = ("--why", "false alarms", "--by", "ana")
    rolled_back = worker.json("models", "rollback", *why)
    assert (rolled_back["model_id"], rolled_back["by"], rolled_back["reason"]) == (names[0], "ana", "false alarms")
    assert worker.json("models", "shadow", names[1], *why)["role"] == "shadow"
    assert worker.json("models", "list")["shadow"] == names[1]
    assert worker.json("models", "end-shadow", *why)["model_id"] is None
    assert f"{names[1]} is in charge" in worker("models", "promote", names[1], *why).stdout
    worker("models", "promote", names[1], *why)  # it is in charge already: nothing more is done
    with worker.database.reading() as session:
        rows = audit.recent(session)[::-1]
    assert [(row.action, row.subject) for row in rows if row.by.startswith("terminal: ")] == [
        ("model rolled back", names[1]),
        ("shadow started", names[1]),
        ("shadow ended", names[1]),
        ("model promoted", names[1]),
    ]
    shown = worker("models", "show", names[0]).stdout
    assert "rolled_back as champion" in shown
    assert "novelty      none: it takes no photograph for unlike what it learnt from" in shown
    assert "no model 'x'" in worker.refused("models", "promote", "x", *why)
    assert "its own shadow" in worker.refused("models", "shadow", names[1], *why)
    (worker.data / "models" / "m1.0" / "classifier.h5").write_bytes(b"damaged")
    assert "is not the file that its manifest names" in worker.refused("models", "promote", names[0], *why)
    assert worker.json("models", "list")["champion"] == names[1]


def test_a_model_of_before_networks_were_files_gets_no_role_any_more(worker: Commands) -> None:
    old, new = made(worker, 1.0, with_network=False), made(worker, 2.0)
    why = ("--why", "nostalgia", "--by", "ana")
    for command in (("promote", old), ("shadow", old), ("rollback",)):
        assert f"model {old} was made before networks were files" in worker.refused("models", *command, *why)
    assert worker.json("models", "list")["champion"] == new
    assert "none: no worker can judge by it" in worker("models", "show", old).stdout
    assert "made before networks were files" in worker.refused("models", "promote", old, *why)


def test_features_that_nobody_needs_any_more_are_removed(worker: Commands) -> None:
    assert worker.json("features", "list") == []
    root = worker.data / "features"
    names = ["a" * 64, "b" * 64]
    for name, backbone in zip(names, ("vgg16:fc2", "vgg16:fc1"), strict=True):
        store = begin(root, fingerprint=name, backbone=backbone, feature_size=4)
        store.add([f"{number:064x}" for number in range(3)], np.zeros((3, 4), np.float32))
    with worker.database.transaction() as session:
        model = Model("m", "vgg16:fc1", names[1], datetime.now(UTC), LINE_CLASSES, 3, {}, "m", "d" * 64)
        model_registry.register(session, model)
        model_registry.promote(session, "m", by="test", reason="test", at=datetime.now(UTC))
    listed = worker.json("features", "list")
    assert [(each["backbone"], each["images"], each["needed_by"]) for each in listed] == [
        ("vgg16:fc2", 3, None),
        ("vgg16:fc1", 3, "m"),
    ]
    assert "2 feature stores begin with ''" in worker.refused("features", "remove", "")
    assert "model m was made from these features" in worker.refused("features", "remove", "bbbb")
    assert worker("features", "remove", "aaaa").stdout == "removed the features of 3 images by vgg16:fc2\n"
    assert worker("features", "remove", "bbbb", "--force").returncode == 0
    assert worker.json("features", "list") == []
