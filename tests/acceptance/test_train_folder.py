"""`insert-worker train FOLDER` and `features verify`, as a person types them, with the embedded network."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.database_support import new_sqlite
from tests.forked_commands import run_command
from tests.network_support import BACKBONE
from tests.support import photograph


class Commands:
    def __init__(self, folder: Path):
        self.data = folder / "line"
        self.data.mkdir()
        new_sqlite(self.data / "inserts.db")

    def __call__(self, *options: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"COLUMNS": "200"}
        done = run_command("insert-worker", *options, "--data", str(self.data), environment=environment)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def worker(tmp_path: Path) -> Commands:
    return Commands(tmp_path)


def filled(folder: Path, each: int, names: dict[str, int]) -> Path:
    for name, brightness in names.items():
        (folder / name).mkdir(parents=True)
        for number in range(each):
            data = photograph(brightness, seed=1000 * brightness + number, size=64, format="PNG")
            (folder / name / f"Foto {number} [x].PNG").write_bytes(data)
    return folder


def test_a_folder_is_learned_from_and_its_scores_are_told(worker: Commands, tmp_path: Path) -> None:
    folder = filled(tmp_path / "Kap Größe [alt]", 12, {"Intakt": 170, "Schäden groß": 80})
    rows = [
        f"{name}\\Foto {number} [x].PNG;{name} {number // 2}"
        for name in ("Intakt", "Schäden groß")
        for number in range(12)
    ]
    (folder / "labels.csv").write_bytes("\r\n".join(["Datei;Insert", *rows]).encode("utf-16"))
    refused = worker("train", str(folder), code=2).stderr
    assert "has the columns datei, insert; it needs 'file' and 'insert'" in refused

    (folder / "labels.csv").write_bytes("\r\n".join([" File ; Insert", *rows]).encode("utf-16"))
    (folder / "Schäden groß" / "kaputt.jpg").write_bytes(b"no image")
    (folder / "@eaDir").mkdir()
    done = worker("train", str(folder))
    said = " ".join(done.stderr.split())
    assert "taken by their names: 'Intakt' for intact" in said
    assert "taken for damaged: Schäden groß" in said
    assert "kaputt.jpg: this is no image that can be read" in said
    assert "only 12 intact and 12 damaged images: below 30 of a side" in said
    assert "nothing says which images" not in said
    for part in (
        *("24 new", "1 skipped", "plain splits", "by insert", "balanced accuracy", "calibration error"),
        *(
            "unsure: a person looks",
            "is promoted",
            "nobody is in charge yet",
            "next",
            f"--data {tmp_path / 'line'} review",
        ),
    ):
        assert part in done.stdout

    told = json.loads(worker("train", "--json").stdout)
    assert (told["trained_on"], told["in_charge"], told["folder"]) == (24, True, None)
    assert set(told["scores"]) == {"plain", "grouped"}
    assert 0 <= told["scores"]["grouped"]["unsure"]["mean"] <= 1
    assert told["warnings"] == [
        "only 12 intact and 12 damaged images: below 30 of a side, scores and probabilities are rough; label more"
    ]
    shown = json.loads(worker("models", "show", told["model"], "--json").stdout)["manifest"]
    assert shown["band"]["lower"] < shown["band"]["upper"]
    assert shown["calibration"]["slope"] > 0


def test_too_few_images_and_an_open_class_are_refused_with_words(worker: Commands, tmp_path: Path) -> None:
    few = filled(tmp_path / "few", 4, {"intact": 170, "worn": 80})
    assert "4 usable images of 4 intact inserts; a training needs 5 images" in worker("train", str(few), code=2).stderr
    open_class = filled(tmp_path / "open", 6, {"Klasse 1": 170, "Klasse 2": 80})
    refused = worker("train", str(open_class), code=2).stderr
    assert "which of the classes Klasse 1, Klasse 2 is intact: say so with --intact-class" in " ".join(refused.split())
    done = json.loads(worker("train", str(open_class), "--intact-class", "klasse 1", "--promote", "--json").stdout)
    assert done["folder"]["warnings"] == ["taken for damaged: Klasse 2 (--class NAME=LABEL says otherwise)"]
    assert (done["trained_on"], done["in_charge"]) == (12, True)  # four of each side are the same photographs
    assert any("nothing says which images show the same insert" in each for each in done["warnings"])


def test_a_flipped_bit_in_the_features_is_found_named_and_mended(worker: Commands, tmp_path: Path) -> None:
    assert "no features yet" in worker("features", "verify").stdout
    worker("train", str(filled(tmp_path / "set", 6, {"intact": 170, "worn": 80})), "--promote")
    assert "1 file, all as written" in worker("features", "verify").stdout
    [shard] = (worker.data / "features").glob("*/shards/*.h5")
    data = bytearray(shard.read_bytes())
    data[-1000] ^= 4  # among the features, which end the file
    shard.write_bytes(data)

    done = worker("features", "verify", code=1)
    assert "1 of 1 file not as written" in done.stdout
    assert f"{shard.name}: features of 12 images; put aside as" in done.stdout
    assert f"insert-worker extract --backbone {BACKBONE} --data {worker.data}` makes anew" in done.stdout
    aside = shard.parents[1] / "damaged" / shard.name
    assert aside.read_bytes() == data
    again = worker("features", "verify").stdout
    assert "all as written" in again
    assert f"lies aside in {aside.parent}" in again, "what is missing is not forgotten"

    aside.replace(shard)
    told = json.loads(worker("features", "verify", shard.parents[1].name[:8], "--json", code=1).stdout)
    assert told["whole"] is False
    [verified] = told["verified"]
    assert (verified["name"], verified["problem"]) == (BACKBONE, "1 of 1 file not as written")
    [broken] = verified["broken"]
    assert (broken["name"], broken["sights"], len(set(broken["captures"]))) == (shard.name, 12, 12)

    assert "12 extracted" in worker("extract", "--backbone", BACKBONE).stdout
    assert json.loads(worker("features", "verify", "--json").stdout)["whole"] is True
    assert "no feature store begins with 'zz'" in worker("features", "verify", "zz", code=2).stderr
    (shard.parents[1] / "generation.json").write_text("{")
    assert "generation.json is damaged" in worker("features", "verify", code=1).stdout
