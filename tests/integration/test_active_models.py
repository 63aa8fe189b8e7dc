"""The model in charge and the one in shadow, as a running worker takes them from a real database and real files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.engine.database import Database
from db.learning import model_registry
from producer.contract.vocabulary import DAMAGE_KINDS
from producer.runtime.arrays import Float32Array
from tests.integration.conftest import on_one_engine
from tests.network_support import BACKBONE, OTHER_BACKBONE
from tests.support import photograph
from worker.line import active_models as module
from worker.line.active_models import ActiveModels, ModelPair
from worker.models import registry
from worker.models.calibration import Calibration
from worker.models.line_model import LINE_CLASSES, Judgement
from worker.models.linear_svm import LinearModel
from worker.models.manifest import ModelManifest
from worker.models.store import CLASSIFIER_FILE, MANIFEST_FILE, ModelError, save
from worker.models.unsure_band import Band
from worker.networks.manifest import Manifest
from worker.networks.store import NetworkStore
from worker.settings import WorkerSettings

pytestmark = on_one_engine  # the registry's own tests ask both

SIZE = 152  # features of `BACKBONE`


@pytest.fixture(autouse=True, scope="module")
def _built(networks: Path) -> None:
    """The session's networks are there."""


def store() -> NetworkStore:
    return NetworkStore(WorkerSettings().networks_root())


def active_models(database: Database, models: Path) -> ActiveModels:
    return ActiveModels(database, models, store())


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)


def write(
    folder: Path,
    value: float,
    *,
    backbone: str = BACKBONE,
    classes: tuple[str, ...] = LINE_CLASSES,
    **more: Any,
) -> ModelManifest:
    network = store().open(backbone)
    return save(
        folder,
        LinearModel(classes, np.full((1, network.feature_size), value, np.float32), np.zeros(1)),
        backbone=backbone,
        **{"fingerprint": network.fingerprint, "network": network.digest} | more,
        trained_on=10,
        settings={},
        metrics={},
        created_at=datetime.now(UTC),
    )


def register(database: Database, models: Path, value: float, **more: Any) -> ModelManifest:
    manifest = write(models / f"m{value}", value, **more)
    row = model_registry.Model(
        manifest.model_id,
        manifest.backbone,
        manifest.fingerprint,
        manifest.created_at,
        manifest.classes,
        10,
        {},
        f"m{value}",
        manifest.classifier_sha256,
        network_digest=manifest.network,
    )
    with database.transaction() as session:
        model_registry.register(session, row)
    return manifest


def promote(database: Database, manifest: ModelManifest) -> None:
    with database.transaction() as session:
        model_registry.promote(session, manifest.model_id, by="test", reason="test", at=datetime.now(UTC))


def put_in_charge(database: Database, models: Path, value: float, **more: Any) -> ModelManifest:
    manifest = register(database, models, value, **more)
    promote(database, manifest)
    return manifest


def put_in_shadow(database: Database, models: Path, value: float, **more: Any) -> ModelManifest:
    manifest = register(database, models, value, **more)
    with database.transaction() as session:
        model_registry.start_shadow(session, manifest.model_id, by="test", reason="test", at=datetime.now(UTC))
    return manifest


def finer(value: float, classes: tuple[str, ...] = DAMAGE_KINDS) -> LinearModel:
    return LinearModel(classes, np.full((1, SIZE), value, np.float32), np.zeros(1))


def features(total: float) -> Float32Array:
    """Features that come to this where every coefficient is 1."""
    vector = np.zeros(SIZE, np.float32)
    vector[0] = total
    return vector


def names(models: ModelPair) -> tuple[str | None, str | None]:
    champion, shadow = models.champion, models.shadow
    return champion.model_id if champion else None, shadow.model_id if shadow else None


def test_a_new_champion_is_taken_without_a_restart(database: Database, tmp_path: Path) -> None:
    active = active_models(database, tmp_path)
    active.start()
    assert active.current().champion is None
    first = put_in_charge(database, tmp_path, 1.0)
    seen = active.current().champion
    assert seen is not None
    assert seen.model_id == first.model_id
    second = put_in_charge(database, tmp_path, 2.0)
    now = active.current().champion
    assert now is not None
    assert (now.model_id, float(now.model.classifier.coef[0, 0])) == (second.model_id, 2.0)
    assert (seen.model_id, float(seen.model.classifier.coef[0, 0])) == (first.model_id, 1.0)


@pytest.mark.parametrize("damage", ["truncated", "altered", "removed"])
def test_a_file_that_cannot_be_trusted_leaves_the_one_before_in_charge(
    database: Database, tmp_path: Path, damage: str
) -> None:
    active = active_models(database, tmp_path)
    first = put_in_charge(database, tmp_path, 1.0)
    assert active.current().champion is not None
    put_in_charge(database, tmp_path, 2.0)
    arrays = tmp_path / "m2.0" / CLASSIFIER_FILE
    if damage == "removed":
        arrays.unlink()
    else:
        data = bytearray(arrays.read_bytes())
        arrays.write_bytes(bytes(data[:-10] if damage == "truncated" else data[:-1] + bytes([data[-1] ^ 1])))
    still = active.current().champion
    assert still is not None
    assert still.model_id == first.model_id


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fingerprint": "b" * 64}, "reads pixels in another way"),
        ({"network": "b" * 64}, "copy b{64}.tflite and b{64}.json"),
        ({"classes": ("good", "bad")}, "good"),
    ],
)
def test_a_worker_does_not_start_with_a_champion_that_it_cannot_use(
    database: Database, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    put_in_charge(database, tmp_path, 1.0, **changes)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=said):
        active_models(database, tmp_path).start()


@pytest.mark.parametrize(
    ("value", "more"),
    [(9.0, {}), (1.0, {"calibration": Calibration(1.0, 0.0)})],
    ids=["other arrays", "the same arrays with a calibration"],
)
def test_another_file_than_the_registered_one_is_refused(
    database: Database, tmp_path: Path, value: float, more: dict[str, Any]
) -> None:
    put_in_charge(database, tmp_path, 1.0)
    write(tmp_path / "m1.0", value, **more)
    with pytest.raises(ModelError, match="not the file that was registered"):
        active_models(database, tmp_path).start()


def test_all_that_a_model_answers_by_is_taken(database: Database, tmp_path: Path) -> None:
    calibration, band = Calibration(2.0, -1.0), Band(0.05, 0.2, 0.8)
    manifest = put_in_charge(database, tmp_path, 1.0, calibration=calibration, band=band, kind=finer(1.0))
    model = active_models(database, tmp_path).current().champion
    assert model is not None
    assert (model.model_id, model.model.calibration, model.model.band) == (manifest.model_id, calibration, band)
    judgement = model.model.judge(features(2.0))
    assert judgement.outcome == "damaged"
    assert (judgement.probability, judgement.label) == (calibration.probability(2.0), "broken")


@pytest.mark.parametrize("part", ["calibration", "band", "kind"])
def test_a_manifest_that_was_altered_leaves_the_one_before_in_charge(
    database: Database, tmp_path: Path, part: str
) -> None:
    active = active_models(database, tmp_path)
    first = put_in_charge(database, tmp_path, 1.0)
    assert names(active.current()) == (first.model_id, None)
    put_in_charge(
        database, tmp_path, 2.0, calibration=Calibration(2.0, -1.0), band=Band(0.05, 0.2, 0.8), kind=finer(1.0)
    )
    file = tmp_path / "m2.0" / MANIFEST_FILE
    manifest = json.loads(file.read_text())
    if part == "calibration":
        manifest["calibration"]["slope"] = 3.0
    elif part == "band":
        manifest["band"]["upper"] = 0.3
    else:
        manifest["kind_classes"] = None
    file.write_text(json.dumps(manifest))
    assert names(active.current()) == (first.model_id, None)


def test_a_finer_model_of_other_classes_is_refused(database: Database, tmp_path: Path) -> None:
    put_in_charge(database, tmp_path, 1.0, kind=finer(1.0, ("chipped", "cratered")))
    with pytest.raises(ModelError, match="chipped"):
        active_models(database, tmp_path).start()


def test_a_finer_model_still_loads_when_there_are_more_kinds_of_damage(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DAMAGE_KINDS", ("chipped", *DAMAGE_KINDS))
    put_in_charge(database, tmp_path, 1.0, kind=finer(1.0))
    champion = active_models(database, tmp_path).current().champion
    assert champion is not None
    assert champion.model.judge(features(2.0)).label == "broken"


def test_a_shadow_comes_and_goes_beside_the_champion(database: Database, tmp_path: Path) -> None:
    active = active_models(database, tmp_path)
    first = put_in_charge(database, tmp_path, 1.0)
    second = put_in_shadow(database, tmp_path, 2.0)
    assert names(active.current()) == (first.model_id, second.model_id)
    third = put_in_shadow(database, tmp_path, 3.0)
    assert names(active.current()) == (first.model_id, third.model_id)
    promote(database, third)
    assert names(active.current()) == (third.model_id, None)
    put_in_shadow(database, tmp_path, 2.0)
    with database.transaction() as session:
        model_registry.end_shadow(session, by="test", reason="test", at=datetime.now(UTC))
    assert names(active.current()) == (third.model_id, None)


@pytest.mark.parametrize("wrong", ["truncated", "gone", "of other features"])
def test_a_shadow_that_cannot_be_used_is_none_and_the_line_goes_on(
    database: Database, tmp_path: Path, wrong: str
) -> None:
    first = put_in_charge(database, tmp_path, 1.0)
    running = active_models(database, tmp_path)
    good = put_in_shadow(database, tmp_path, 2.0)
    assert names(running.current()) == (first.model_id, good.model_id)
    put_in_shadow(database, tmp_path, 3.0, **{"fingerprint": "b" * 64} if wrong == "of other features" else {})
    arrays = tmp_path / "m3.0" / CLASSIFIER_FILE
    if wrong == "truncated":
        arrays.write_bytes(arrays.read_bytes()[:-10])
    elif wrong == "gone":
        arrays.unlink()
    assert names(running.current()) == (first.model_id, None)
    starting = active_models(database, tmp_path)
    starting.start()
    assert names(starting.current()) == (first.model_id, None)


def test_no_judgement_is_by_half_of_each(database: Database, tmp_path: Path) -> None:
    """Two models change places under load; what is judged is wholly what one of them says, or the other."""
    active = active_models(database, tmp_path)
    parts: list[dict[str, Any]] = [
        {"calibration": Calibration(0.25, -1.0), "band": Band(0.05, 0.2, 0.5), "kind": finer(1.0)},
        {"calibration": Calibration(0.5, 2.0), "band": Band(0.3, 0.4, 0.6), "kind": finer(-1.0)},
    ]
    manifests = [
        put_in_charge(database, tmp_path, value, **more) for value, more in zip((1.0, 2.0), parts, strict=True)
    ]
    vector = features(4.0)
    expected: dict[str, Judgement] = {}
    for manifest in manifests:
        promote(database, manifest)
        model = active.current().champion
        assert model is not None
        expected[manifest.model_id] = model.model.judge(vector)
    assert {(each.outcome, each.label) for each in expected.values()} == {("damaged", "broken"), ("damaged", "worn")}
    done = threading.Event()

    def judge() -> list[Judgement]:
        seen = []
        while not done.is_set():
            model = active.current().champion
            assert model is not None
            seen.append(model.model.judge(vector))
        return seen

    with ThreadPoolExecutor(4) as threads:
        judging = [threads.submit(judge) for _ in range(4)]
        for _ in range(10):
            for manifest in manifests:
                promote(database, manifest)
        done.set()
        judged = [judgement for each in judging for judgement in each.result(60)]
    assert {each.model_id for each in judged} == set(expected)
    assert all(each == expected[each.model_id or ""] for each in judged)


def test_models_of_one_network_share_it_and_another_brings_its_own(database: Database, tmp_path: Path) -> None:
    active = active_models(database, tmp_path)
    put_in_charge(database, tmp_path, 1.0)
    put_in_shadow(database, tmp_path, 2.0)
    first = active.current()
    assert first.champion is not None
    assert first.shadow is not None
    assert first.champion.network is first.shadow.network
    put_in_charge(database, tmp_path, 3.0, backbone=OTHER_BACKBONE)
    second = active.current()
    assert second.champion is not None
    assert second.champion.network.name == OTHER_BACKBONE
    assert second.champion.network.input_size == (240, 240)
    assert second.shadow is first.shadow
    put_in_charge(database, tmp_path, 4.0, backbone=BACKBONE.replace("+gap", "+max"))
    third = active.current()
    assert third.champion is not None
    assert third.champion.network.digest == first.champion.network.digest
    assert third.champion.network.fingerprint != first.champion.network.fingerprint


def test_a_champion_of_before_networks_were_files_is_refused_and_the_worker_starts(
    database: Database, tmp_path: Path
) -> None:
    old = put_in_charge(database, tmp_path, 1.0, network=None)
    active = active_models(database, tmp_path)
    active.start()
    models = active.current()
    assert models.champion is None
    assert f"model {old.model_id} was made before networks were files" in models.why_none
    assert active.refused
    new = put_in_charge(database, tmp_path, 2.0)
    assert names(active.current()) == (new.model_id, None)
    assert not active.refused
    put_in_charge(database, tmp_path, 3.0, network=None)
    assert names(active.current()) == (new.model_id, None)
    assert active.refused


@pytest.mark.parametrize("damage", ["altered", "gone", "no manifest"])
def test_a_network_that_cannot_be_trusted_leaves_the_champion_before_in_charge(
    database: Database, tmp_path: Path, damage: str, networks: Path
) -> None:
    copied = tmp_path / "networks"
    shutil.copytree(networks, copied)
    active = ActiveModels(database, tmp_path, NetworkStore(str(copied)))
    first = put_in_charge(database, tmp_path, 1.0)
    active.start()
    second = put_in_charge(database, tmp_path, 2.0, backbone=OTHER_BACKBONE)
    file = copied / f"{second.network}.tflite"
    if damage == "altered":
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    else:
        (file if damage == "gone" else file.with_suffix(".json")).unlink()
    assert names(active.current()) == (first.model_id, None)
    assert active.refused
    with pytest.raises(ModelError, match="cannot judge without its network"):
        ActiveModels(database, tmp_path, NetworkStore(str(copied))).start()


class StoreAway(NetworkStore):
    """A store that can be away."""

    away = False

    def with_digest(self, digest: str) -> Manifest:
        if self.away:
            raise OSError("no answer")
        return super().with_digest(digest)


def test_a_store_that_is_away_is_looked_into_again(database: Database, tmp_path: Path, networks: Path) -> None:
    place = StoreAway(str(networks))
    active = ActiveModels(database, tmp_path, place)
    first = put_in_charge(database, tmp_path, 1.0)
    active.start()
    place.away = True
    second = put_in_charge(database, tmp_path, 2.0, backbone=OTHER_BACKBONE)
    assert names(active.current()) == (first.model_id, None)
    place.away = False
    assert names(active.current()) == (second.model_id, None)
    assert not active.refused


JUDGES = """
import sys
from pathlib import Path
import worker.line.serve
from db.engine.database import Database
from worker.line.child import active_models
from worker.line.judging import Judge
from worker.monitoring.reports import ChildMetrics
from worker.settings import WorkerSettings
settings = WorkerSettings(data=Path(sys.argv[1]), models=Path(sys.argv[1]), database_url=sys.argv[2])
models = active_models(settings, Database(settings.url))
models.start()
judge = Judge(models, ChildMetrics())
print(judge.judge(Path(sys.argv[3]).read_bytes(), None).model_id)
print(*sorted(name.partition(".")[0] for name in sys.modules))
"""


def test_a_worker_judges_without_tensorflow_and_scikit_learn(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """In a fresh process: all that a worker imports, and a judgement with a real champion."""
    champion = put_in_charge(database, tmp_path, 1.0, calibration=Calibration(1.0, 0.0), band=Band(0.1, 0.2, 0.9))
    image = tmp_path / "image.jpg"
    image.write_bytes(photograph(128))
    command = [sys.executable, "-c", JUDGES, str(tmp_path), database_url, str(image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    judged, loaded = done.stdout.strip().splitlines()[-2:]
    assert judged == champion.model_id
    assert "ai_edge_litert" in loaded.split()
    assert {"tensorflow", "keras", "sklearn", "scipy"} & set(loaded.split()) == set()
