"""From a labelled folder to a model in charge, on both databases; the network is a small fake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from worker.training import train

import db.models
from db.session import Database
from tests.support import photograph
from worker.champion import Champion
from worker.dataset import DatasetError, scan


class Quadrants:
    """The mean of each quadrant of each colour: twelve features."""

    name = "quadrants:mean"
    fingerprint = "c" * 64
    feature_size = 12
    input_size = (16, 16)

    def prepare(self, images: Any) -> Any:
        return images.astype(np.float32) / 255

    def features(self, prepared: Any) -> Any:
        n = len(prepared)
        return prepared.reshape(n, 2, 8, 2, 8, 3).mean(axis=(2, 4)).reshape(n, 12).astype(np.float32)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    for name, brightness in (("intact", 90), ("worn", 150), ("broken", 170)):
        folder = tmp_path / "labelled" / name
        folder.mkdir(parents=True)
        for number in range(8):
            (folder / f"{number}.jpg").write_bytes(photograph(brightness, seed=number))
    return tmp_path / "labelled"


def run(labelled: Path, database: Database, tmp_path: Path, intact: str = "intact") -> Any:
    done: list[tuple[int, int]] = []
    return train(
        scan(labelled),
        Quadrants(),
        intact=intact,
        models=tmp_path / "models",
        database=database,
        by="test",
        progress=lambda now, total: done.append((now, total)),
    )


def test_a_labelled_folder_becomes_the_model_in_charge(labelled: Path, database: Database, tmp_path: Path) -> None:
    (labelled / "worn" / "empty.jpg").touch()
    trained = run(labelled, database, tmp_path)
    assert trained.manifest.trained_on == 24
    assert [path.name for path, _ in trained.skipped] == ["empty.jpg"]
    assert min(trained.manifest.metrics["balanced_accuracy"]) > 0.9
    with database.reading() as session:
        champion = db.models.champion(session)
    assert champion is not None
    assert champion.model_id == trained.manifest.model_id
    in_charge = Champion(database, tmp_path / "models", Quadrants.fingerprint)
    in_charge.start()
    assert in_charge.judges().champion is not None


def test_the_same_folder_gives_the_same_model_and_one_promotion(
    labelled: Path, database: Database, tmp_path: Path
) -> None:
    first, second = run(labelled, database, tmp_path), run(labelled, database, tmp_path)
    assert first.manifest.model_id == second.manifest.model_id
    with database.reading() as session:
        assert len(db.models.promotions(session)) == 1
        assert len(db.models.recent(session)) == 1
    Champion(database, tmp_path / "models", Quadrants.fingerprint).start()


def test_a_folder_that_does_not_say_what_is_intact_is_refused(
    labelled: Path, database: Database, tmp_path: Path
) -> None:
    (labelled / "intact").rename(labelled / "good")
    with pytest.raises(DatasetError, match="--intact-class"):
        run(labelled, database, tmp_path)
    assert run(labelled, database, tmp_path, intact="Good").manifest.trained_on == 24


def test_a_folder_whose_intact_images_cannot_be_judged_is_refused(
    labelled: Path, database: Database, tmp_path: Path
) -> None:
    for image in (labelled / "intact").iterdir():
        Image.new("RGB", (64, 64)).save(image)  # it can be read, and shows nothing
    with pytest.raises(DatasetError, match="one side"):
        run(labelled, database, tmp_path)
    assert not (tmp_path / "models").exists()
