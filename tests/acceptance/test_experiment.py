"""`insert-worker experiment` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from benchmarks.materials import random_weights
from tests.forked_commands import run_command
from worker.models import store

BACKBONE = "mobilenet-0.25:conv_pw_3_relu+gap"


@pytest.fixture(scope="module")
def weights() -> Iterator[str]:
    """Weights for it: they need not be good ones."""
    with random_weights(BACKBONE) as path:
        assert path is not None
        yield path


def experiment(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"INSERTS_DATA": str(folder / "data")}
    return run_command("insert-worker", "experiment", *arguments, environment=environment, cwd=folder, timeout=240)


def labelled_folder(root: Path, seed: int, classes: dict[str, int]) -> Path:
    """Photographs whose left half is the darker, the more the later the class, under light that varies more."""
    rng = np.random.default_rng(seed)
    for label, (name, images) in enumerate(classes.items()):
        (root / name).mkdir(parents=True)
        for number in range(images):
            pixels = rng.normal(130, 30, (150, 200, 3)) + rng.normal(0, 25)
            pixels[:, :100] -= 12 * label + rng.normal(0, 12)
            file = root / name / f"image{number}.jpg"
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file)
    return root


def lab_notebook(root: Path, weights: str, repeats: int, test_size: float) -> list[float]:
    """Each split's accuracy as the lab's notebook gets it: Keras reads the images, SVC sees the features."""
    import keras
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC

    from worker.backbones.backbone import load_backbone

    backbone = load_backbone(BACKBONE, weights, weights_folder=root)
    features, labels = [], []
    for label, name in enumerate(sorted(path.name for path in root.iterdir())):
        for file in sorted((root / name).glob("*.jpg")):
            image = keras.utils.img_to_array(keras.utils.load_img(file, target_size=backbone.input_size))
            features.append(backbone.features(backbone.prepare(image.astype(np.uint8)[None]))[0])
            labels.append(label)
    rows, truth, accuracy = np.array(features), np.array(labels), []
    for seed in range(1, repeats + 1):
        train, test = train_test_split(range(len(truth)), test_size=test_size, random_state=seed, stratify=truth)
        svc = SVC(kernel="linear", class_weight="balanced").fit(rows[train], truth[train])
        accuracy.append(float(svc.score(rows[test], truth[test])))
    return accuracy


def test_two_datasets_give_the_labs_files_and_the_notebooks_numbers(tmp_path: Path, weights: str) -> None:
    first = labelled_folder(tmp_path / "mill", 1, {"intact": 18, "worn": 12})
    second = labelled_folder(tmp_path / "lathe", 2, {"broken": 9, "intact": 14, "worn": 10})
    (first / "worn" / "notes.txt").write_text("not a photograph")
    options = ("--backbone", BACKBONE, "--weights", weights, "--repeats", "3", "--test-size", "0.4", "--json")
    ended = experiment(tmp_path, str(first), str(second), *options)
    assert ended.returncode == 0, ended.stderr
    mill, lathe = json.loads(ended.stdout)["datasets"]
    assert (mill["name"], mill["classes"], mill["images"], mill["skipped"]) == ("mill", ["intact", "worn"], 30, 1)
    assert (lathe["name"], lathe["classes"], lathe["images"]) == ("lathe", ["broken", "intact", "worn"], 33)
    for answer, root in ((mill, first), (lathe, second)):
        (backbone,) = answer["backbones"]
        # The notebook's own features differ in the last bits (batches of one), which moves no image across the border.
        assert backbone["accuracy"] == pytest.approx(lab_notebook(root, weights, 3, 0.4))
        assert len(backbone["macro_recall"]) == 3
        check_files(tmp_path / "output", answer, backbone)
    assert "notes.txt" in ended.stderr
    assert "notes.txt" in (tmp_path / "output" / "report.md").read_text("utf-8")


def check_files(output: Path, answer: dict[str, Any], backbone: dict[str, Any]) -> None:
    name = answer["name"]
    folder = output / name / store.model_name(backbone["backbone"])
    assert {path.name for path in folder.iterdir()} == {"features.h5", "labels.h5", "model", f"results{name}.txt"}
    with h5py.File(folder / "features.h5") as features, h5py.File(folder / "labels.h5") as labels:
        assert features["dataset_1"].shape == (answer["images"], backbone["feature_size"])
        assert set(labels["dataset_1"][()].tolist()) == set(range(len(answer["classes"])))
    stored = store.read(folder / "model")
    assert (list(stored.classifier.classes), stored.manifest.model_id) == (answer["classes"], backbone["model"])
    assert f"{np.mean(backbone['accuracy']):.6f}" in (folder / f"results{name}.txt").read_text("utf-8")


def test_without_json_the_report_is_shown(tmp_path: Path, weights: str) -> None:
    root = labelled_folder(tmp_path / "mill", 1, {"intact": 6, "worn": 6})
    options = ("--backbone", BACKBONE, "--weights", weights, "--output", "here", "--repeats", "2")
    ended = experiment(tmp_path, str(root), *options)
    assert ended.returncode == 0, ended.stderr
    assert "macro recall" in ended.stdout
    assert "12/12" in ended.stderr
    assert (tmp_path / "here" / "report.md").is_file()


@pytest.mark.parametrize(
    ("classes", "options", "code", "said"),
    [
        ({}, [], 2, "sub-folder"),
        ({"worn": 3}, [], 2, "only 'worn'"),
        ({"intact": 3, "worn": 1}, [], 2, "at least 2 of each class"),
        ({"intact": 2, "worn": 2}, ["--test-size", "0.1"], 2, "4 images give 3 for training and 1 for testing"),
        ({"intact": 4, "worn": 4}, ["--backbone", "mobilenet-0.25:no_such_layer"], 2, "no_such_layer"),
        ({"intact": 4, "worn": 4}, ["--weights", "a.h5", "--weights", "imagenet"], 2, "once"),
    ],
    ids=["empty", "one class", "one image", "small split", "no layer", "weights"],
)
def test_what_cannot_be_done_ends_with_what_to_do(
    tmp_path: Path, weights: str, classes: dict[str, int], options: list[str], code: int, said: str
) -> None:
    (tmp_path / "mill").mkdir()
    root = labelled_folder(tmp_path / "mill", 1, classes)
    backbone = [] if "--backbone" in options else ["--backbone", BACKBONE]
    backbone += [] if "--weights" in options else ["--weights", weights]
    ended = experiment(tmp_path, str(root), "--json", *backbone, *options)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert not (tmp_path / "output" / "report.md").exists()


def test_real_photographs_with_real_weights(tmp_path: Path, shared: Path) -> None:
    weights = shared / "weights" / "mobilenet_1_0_224_tf_no_top.partial.h5"
    ended = experiment(
        tmp_path,
        str(shared / "data" / "turning-inserts"),
        *("--backbone", "mobilenet:conv1_relu", "--weights", str(weights), "--json"),
    )
    assert ended.returncode == 0, ended.stderr
    (answer,) = json.loads(ended.stdout)["datasets"]
    assert (answer["classes"], answer["images"], answer["skipped"]) == (["intact", "worn"], 194, 0)
    (backbone,) = answer["backbones"]
    assert backbone["feature_size"] == 401_408
    assert np.mean(backbone["macro_recall"]) > 0.55  # guessing gets 0.5
    check_files(tmp_path / "output", answer, backbone)
