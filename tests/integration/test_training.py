"""A labelled folder is learned from as reviews are, on both databases; the network is a small fake."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from db.engine.database import Database
from db.learning import model_registry
from db.line import verdicts
from db.line.verdicts import Verdict
from producer.storage.folder import FolderStore
from tests.integration.conftest import on_one_engine
from tests.learning_support import FINGERPRINT, NETWORK, Reviewer, SmallNetwork, learning_in, use_few_splits
from tests.support import photograph, wait_until
from worker.commands.labelled_folder import TakenInFolder, take_in
from worker.dataset.class_names import meanings_to_train
from worker.learning.context import Learning
from worker.learning.lease import held
from worker.learning.on_request import learn_now, settle
from worker.models.linear_svm import ClassifierError
from worker.models.prior import Prior
from worker.models.store import read
from worker.runtime.progress import silent

SIDES = {"intact": 170, "worn": 80}


@pytest.fixture(autouse=True)
def _few_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    use_few_splits(monkeypatch)


class Blind(SmallNetwork):
    """Sees the same in every image."""

    def features_of(self, images):
        return np.ones((len(images), self.feature_size), np.float32)


def filled(folder: Path, each: int, sides: dict[str, int] = SIDES, first: int = 0) -> Path:
    """A folder with so many photographs a class, of the class's brightness."""
    for name, brightness in sides.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + each):
            data = photograph(brightness, seed=1000 * brightness + number, size=32)
            (folder / name / f"{number}.jpg").write_bytes(data)
    return folder


def taken(learning: Learning, folder: Path) -> TakenInFolder:
    return take_in(
        folder,
        lambda classes: meanings_to_train(classes, {}, None),
        table=None,
        group_column=None,
        images=learning.images,
        database=learning.database,
        progress=silent,
    )


def champion(database: Database) -> str | None:
    with database.reading() as session:
        found = model_registry.champion(session)
    return None if found is None else found.model_id


def test_a_folder_and_reviews_are_learned_from_in_one_way(database: Database, tmp_path: Path) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    taken(learning, filled(tmp_path / "set", 10))
    trained, decided = learn_now(learning, by="test")
    assert trained.model is not None
    assert trained.model.trained_on == 20
    assert decided.promote
    assert settle(learning, decided, by="test", promote=False)
    stored = read(learning.models / decided.model, FINGERPRINT)
    assert stored.manifest.calibration is not None
    assert stored.manifest.band is not None
    assert stored.manifest.snapshot_id is not None
    assert stored.manifest.C is not None
    assert stored.manifest.network == NETWORK
    judge = stored.line_model()
    between = np.full(SmallNetwork.feature_size, 125 / 255, np.float32)
    judgement = judge.judge(between)
    assert judgement.outcome == "unsure"
    assert judgement.probability is not None
    assert stored.manifest.band.lower <= judgement.probability < stored.manifest.band.upper


@on_one_engine
def test_the_same_folder_gives_the_same_model_and_one_promotion(database: Database, tmp_path: Path) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    found = []
    for _ in range(2):
        taken(learning, filled(tmp_path / "set", 10))
        found.append(learn_now(learning, by="test")[1])
    assert found[0] == found[1]
    with database.reading() as session:
        assert len(model_registry.promotions(session)) == 1
        assert len(model_registry.recent(session)) == 1


@on_one_engine
def test_the_probabilities_are_of_the_line_where_chance_chose_enough_of_the_labels(
    database: Database, tmp_path: Path
) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    taken(learning, filled(tmp_path / "set", 10))
    line = Reviewer(database, FolderStore(tmp_path / "images"))
    for side, count in ((0, 30), (1, 10)):
        for _ in range(count):
            capture = line.capture(side)
            with database.transaction() as session:
                verdicts.record(session, Verdict(capture, None, "unsure", None, None, None, datetime.now(UTC)))
            line.say(capture, ("intact", "worn")[side])
    _, decided = learn_now(learning, by="test")
    prior = Prior.of(read(learning.models / decided.model, FINGERPRINT).manifest.metrics)
    assert prior is not None
    assert (prior.damaged, prior.photographs, prior.imported) == (20 / 60, 60, 20)
    assert (prior.used, prior.by_chance) == (pytest.approx(10 / 40), 40)
    assert "25.0% damaged for usual, by 40 labels that chance chose" in prior.sentence()


@on_one_engine
@pytest.mark.parametrize(("intact", "worn"), [(4, 12), (12, 4)])
def test_fewer_than_five_images_of_a_side_are_refused(
    database: Database, tmp_path: Path, intact: int, worn: int
) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    filled(tmp_path / "set", intact, {"intact": 170})
    taken(learning, filled(tmp_path / "set", worn, {"worn": 80}))
    with pytest.raises(ValueError, match=r"4 usable images of 4 .* inserts; a training needs 5 images .*: label more"):
        learn_now(learning, by="test")
    assert not learning.models.exists()
    taken(learning, filled(tmp_path / "set", 5))
    assert learn_now(learning, by="test")[1].promote


@on_one_engine
def test_five_images_of_two_inserts_cannot_be_measured_and_are_refused(database: Database, tmp_path: Path) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    folder = filled(tmp_path / "set", 8)
    rows = [f"{name}/{number}.jpg,{name}{number % 2}" for name in SIDES for number in range(8)]
    (folder / "labels.csv").write_text("\n".join(["file,insert", *rows]))
    taken(learning, folder)
    with pytest.raises(ValueError, match=r"8 usable images of 2 intact inserts; .* and 3 inserts on each side"):
        learn_now(learning, by="test")


@on_one_engine
def test_features_that_are_all_the_same_end_with_a_sentence(database: Database, tmp_path: Path) -> None:
    learning = learning_in(tmp_path, database, Blind())
    taken(learning, filled(tmp_path / "set", 8))
    with pytest.raises(ClassifierError, match="all images have the same features"):
        learn_now(learning, by="test")
    assert champion(database) is None


@on_one_engine
def test_one_image_that_differs_is_nothing_to_go_by_and_no_crash(database: Database, tmp_path: Path) -> None:
    class NearlyBlind(Blind):
        def features_of(self, images):
            found = super().features_of(images)
            found[0] = 2
            return found

    learning = learning_in(tmp_path, database, NearlyBlind())
    taken(learning, filled(tmp_path / "set", 8))
    _, decided = learn_now(learning, by="test")
    assert not decided.promote
    assert not settle(learning, decided, by="test", promote=False)


@on_one_engine
def test_a_model_that_is_no_better_than_guessing_takes_over_only_when_asked_for(
    database: Database, tmp_path: Path
) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    taken(learning, filled(tmp_path / "good", 10))
    first = learn_now(learning, by="test")[1].model
    # The same brightness on both sides: there is nothing to learn, and it spoils what there was.
    taken(learning, filled(tmp_path / "bad", 30, {"intact": 120, "worn": 121}))
    _, decided = learn_now(learning, by="test")
    assert not decided.promote
    assert not settle(learning, decided, by="test", promote=False)
    assert champion(database) == first
    assert settle(learning, decided, by="ana", promote=True)
    assert champion(database) == decided.model
    with database.reading() as session:
        last = model_registry.promotions(session)[0]
    assert last.by == "ana"
    assert last.reason.startswith("asked for with --promote; ")


def test_another_process_that_learns_is_waited_for(database: Database, tmp_path: Path) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    taken(learning, filled(tmp_path / "set", 10))
    steps: list[str] = []
    done: list[str] = []

    def learn() -> None:
        done.append(learn_now(learning, by="test", progress=lambda step, *_: steps.append(step))[1].model)

    with held(database, "retrain") as mine:
        assert mine
        thread = threading.Thread(target=learn)
        thread.start()
        wait_until(lambda: "waiting for another process that learns" in steps, 30, "a training that waits")
        assert not done
    thread.join(60)
    assert done == [champion(database)]


@on_one_engine
def test_a_photograph_in_two_classes_is_learned_from_in_neither(database: Database, tmp_path: Path) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    folder = filled(tmp_path / "set", 8)
    (folder / "worn" / "same.jpg").write_bytes((folder / "intact" / "0.jpg").read_bytes())
    result = taken(learning, folder)
    assert {path.name: reason.split(" there as ")[1] for path, reason in result.photographs.skipped} == {
        "same.jpg": "intact/0.jpg: left out of both classes",
        "0.jpg": "worn/same.jpg: left out of both classes",
    }
    trained, _ = learn_now(learning, by="test")
    assert trained.model is not None
    assert trained.model.trained_on == 15
    assert isinstance(learning.images, FolderStore)


@on_one_engine
def test_too_few_photographs_are_refused_before_a_network_is_built(database: Database, tmp_path: Path) -> None:
    def built() -> SmallNetwork:
        raise AssertionError("the network was built for nothing")

    learning = replace(learning_in(tmp_path, database, SmallNetwork()), backbone=built)
    taken(learning, filled(tmp_path / "set", 1))
    with pytest.raises(ValueError, match=r"1 usable image of 1 intact insert; a training needs 5 images"):
        learn_now(learning, by="test")
