"""The model in charge, as a running worker takes it from a real database and real files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import db.models
from db.session import Database
from worker import champion as module
from worker.champion import Champion
from worker.classifier import LinearModel
from worker.inspection import LINE_CLASSES
from worker.model_store import CLASSIFIER_FILE, Manifest, ModelError, save

FINGERPRINT = "a" * 64


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)


def put_in_charge(
    database: Database,
    models: Path,
    value: float,
    *,
    fingerprint: str = FINGERPRINT,
    classes: tuple[str, ...] = LINE_CLASSES,
) -> Manifest:
    model = LinearModel(classes, np.full((1, 4), value, np.float32), np.zeros(1))
    manifest = save(
        models / f"m{value}",
        model,
        backbone="fake:layer",
        fingerprint=fingerprint,
        trained_on=10,
        settings={},
        metrics={},
        created_at=datetime.now(UTC),
    )
    row = db.models.Model(
        manifest.model_id,
        manifest.backbone,
        fingerprint,
        manifest.created_at,
        manifest.classes,
        10,
        {},
        f"m{value}",
        manifest.classifier_sha256,
    )
    with database.transaction() as session:
        db.models.register(session, row)
        db.models.promote(session, manifest.model_id, by="test", reason="test", at=datetime.now(UTC))
    return manifest


def test_a_new_champion_is_taken_without_a_restart(database: Database, tmp_path: Path) -> None:
    champion = Champion(database, tmp_path, FINGERPRINT)
    champion.start()
    assert champion.current() is None
    first = put_in_charge(database, tmp_path, 1.0)
    seen = champion.current()
    assert seen is not None
    assert seen.model_id == first.model_id
    second = put_in_charge(database, tmp_path, 2.0)
    now = champion.current()
    assert now is not None
    assert (now.model_id, float(now.classifier.coef[0, 0])) == (second.model_id, 2.0)
    assert (seen.model_id, float(seen.classifier.coef[0, 0])) == (first.model_id, 1.0)


@pytest.mark.parametrize("damage", ["truncated", "altered", "removed"])
def test_a_file_that_cannot_be_trusted_leaves_the_one_before_in_charge(
    database: Database, tmp_path: Path, damage: str
) -> None:
    champion = Champion(database, tmp_path, FINGERPRINT)
    first = put_in_charge(database, tmp_path, 1.0)
    assert champion.current() is not None
    put_in_charge(database, tmp_path, 2.0)
    arrays = tmp_path / "m2.0" / CLASSIFIER_FILE
    if damage == "removed":
        arrays.unlink()
    else:
        data = bytearray(arrays.read_bytes())
        arrays.write_bytes(bytes(data[:-10] if damage == "truncated" else data[:-1] + bytes([data[-1] ^ 1])))
    still = champion.current()
    assert still is not None
    assert still.model_id == first.model_id


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"fingerprint": "b" * 64}, "INSERTS_BACKBONE=fake:layer"), ({"classes": ("good", "bad")}, "good")],
)
def test_a_worker_does_not_start_with_a_champion_that_it_cannot_use(
    database: Database, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    put_in_charge(database, tmp_path, 1.0, **changes)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=said):
        Champion(database, tmp_path, FINGERPRINT).start()


def test_another_file_than_the_registered_one_is_refused(database: Database, tmp_path: Path) -> None:
    put_in_charge(database, tmp_path, 1.0)
    other = LinearModel(LINE_CLASSES, np.full((1, 4), 9.0, np.float32), np.zeros(1))
    save(
        tmp_path / "m1.0",
        other,
        backbone="fake:layer",
        fingerprint=FINGERPRINT,
        trained_on=10,
        settings={},
        metrics={},
        created_at=datetime.now(UTC),
    )
    with pytest.raises(ModelError, match="not the file that was registered"):
        Champion(database, tmp_path, FINGERPRINT).start()
