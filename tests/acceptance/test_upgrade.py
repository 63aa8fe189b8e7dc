"""A line that judged with `insertnet`, before networks were files: after the upgrade a champion comes by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from db.engine import migrate
from db.learning import model_registry, snapshots
from db.learning.model_registry import Model
from db.line import verdicts
from db.line.verdicts import Verdict
from producer.storage.folder import FolderStore
from tests.acceptance.test_learning import Line
from tests.forked_commands import run_command
from tests.learning_support import Reviewer
from tests.support import RedisProcess, photograph, wait_until
from worker.models.line_model import LINE_CLASSES
from worker.models.linear_svm import LinearModel
from worker.models.store import MANIFEST_FILE, save

OLD = "insertnet-features-"


@pytest.fixture
def line(networks: Path, tmp_path: Path, redis_server: RedisProcess) -> Iterator[Line]:
    migrate.upgrade(f"sqlite:///{tmp_path / 'inserts.db'}")
    line = Line(tmp_path, redis_server)
    line.environment |= {"INSERTS_ENOUGH_NEW_LABELS": "10000"}  # no training for the sake of new labels
    yield line
    line.close()


def old_line(line: Line) -> tuple[str, Verdict]:
    """Fill the line as an older version left it: a champion with its labelled set, and what it judged."""
    captures = Reviewer(line.database, FolderStore(line.folder / "images")).review(12)
    made = datetime(2026, 11, 10, tzinfo=UTC)
    planes = LinearModel(LINE_CLASSES, np.ones((1, 192), np.float32), np.zeros(1))
    settings = {"backbone": "insertnet:features", "fingerprint": "1" * 64, "trained_on": 24, "created_at": made}
    folder = line.folder / "models" / "old"
    manifest = save(folder, planes, **settings, settings={}, metrics={})  # type: ignore[arg-type]
    name = OLD + manifest.model_id.rpartition("-")[2]
    values = json.loads((folder / MANIFEST_FILE).read_text())
    del values["network"]
    (folder / MANIFEST_FILE).write_text(json.dumps(values | {"model_id": name}))
    with line.database.transaction() as session:
        snapshot = snapshots.take(session, made)
        row = {"classes": LINE_CLASSES, "metrics": {}, "artefact": "old", "digest": manifest.classifier_sha256}
        model = Model(model_id=name, snapshot_id=snapshot.snapshot_id, **row, **settings)  # type: ignore[arg-type]
        model_registry.register(session, model)
        model_registry.promote(session, name, by="trainer", reason="better", at=made)
        judged = Verdict(captures[0], name, "damaged", None, None, 1.5, made)
        verdicts.record(session, judged)
    line.database.close()
    migrate.downgrade(line.database.url, "0004")
    return name, judged


def asked(line: Line, *command: str) -> str:
    done = run_command(*command, environment=line.environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_learner_makes_a_champion_that_can_judge_first_of_all(line: Line) -> None:
    old, judged = old_line(line)
    asked(line, "insert-db", "upgrade")

    line.start("run")  # it starts, and says what is the matter
    assert set(line.inspect([photograph(170, size=64)], "H1").values()) == {"unsure"}
    with line.database.reading() as session:
        (found,) = [row for row in verdicts.export(session) if row.head == "H1"]
    assert f"model {old} was made before networks were files" in (found.reason or "")
    assert "the promoted model is refused" in line.log("run")

    line.start("learn")  # and no beat: the learner asks for the training itself
    wait_until(lambda: line.models()["champion"] != old, 120, f"a new champion; {line.log('learn')}")
    now = line.models()
    assert str(now["champion"]).startswith("efficientnet_lite0-")
    (promotion, before) = now["promotions"]  # type: ignore[misc]
    assert f"the champion {old} cannot judge" in promotion["reason"]
    assert (before["model_id"], before["by"]) == (old, "trainer")

    dark = [photograph(80, seed=number, size=32) for number in range(6)]  # as those that it has learned from
    wait_until(lambda: "damaged" in line.inspect(dark, "H2").values(), 30, "a worker that has taken it")
    with line.database.reading() as session:
        assert verdicts.current(session, judged.capture_id) == judged
    assert old in asked(line, "insert-db", "models")
    assert old in asked(line, "insert-db", "export", "-")
    assert line.end() == [0, 0]
