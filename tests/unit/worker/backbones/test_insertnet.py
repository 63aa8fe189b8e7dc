import hashlib
import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.svm import SVC

from producer.simulation.insert import LABELS
from worker.backbones.insertnet import FEATURES, INPUT_SIZE, MANIFEST, WEIGHTS, architecture, renders

MANIFEST_VALUES = json.loads(MANIFEST.read_text(encoding="utf-8"))


def test_the_package_itself_loads_no_keras() -> None:
    code = "import sys, worker.backbones.insertnet; sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_shipped_weights_are_those_of_the_manifest_and_small() -> None:
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() == MANIFEST_VALUES["sha256"]
    assert WEIGHTS.stat().st_size <= 3_000_000
    assert (MANIFEST_VALUES["name"], MANIFEST_VALUES["version"]) == (architecture.NAME, architecture.VERSION)
    assert (MANIFEST_VALUES["input_size"], MANIFEST_VALUES["features"]) == (INPUT_SIZE, FEATURES)


def test_shipped_features_tell_fresh_renders_apart(tmp_path: Path) -> None:
    """A linear SVM on 160 renders that no training saw judges 80 more, at least as well as half way to the manifest."""
    shown = renders.load(tmp_path, 240, seed=987)
    features = architecture.build(WEIGHTS).predict(shown.images.astype(np.float32) / 127.5 - 1, verbose=0)
    assert features.shape == (240, FEATURES)
    damaged = shown.truth[:, 0] > 0
    svm = SVC(kernel="linear", class_weight="balanced").fit(features[:160], damaged[:160])
    reached = balanced_accuracy_score(damaged[160:], svm.predict(features[160:]))
    promised = MANIFEST_VALUES["scores_on_held_out_renders"]["svm_balanced_accuracy_mean"]
    assert promised > 0.8
    assert reached > (0.5 + promised) / 2


def test_keras_reads_the_weights_as_it_reads_its_own(tmp_path: Path) -> None:
    by_keras, by_us = architecture.build(), architecture.build(WEIGHTS)
    by_keras.load_weights(WEIGHTS)
    for theirs, ours in zip(by_keras.get_weights(), by_us.get_weights(), strict=True):
        assert np.array_equal(theirs, ours)


def test_saving_what_was_loaded_gives_the_same_bytes(tmp_path: Path) -> None:
    again = tmp_path / "again.h5"
    architecture.save_weights(architecture.build(WEIGHTS), again)
    assert again.read_bytes() == WEIGHTS.read_bytes()


def test_weights_of_another_shape_or_without_a_layer_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.h5"
    architecture.save_weights(architecture.build(), file)
    with h5py.File(file, "r+") as opened:
        group = opened["maps_conv"]
        del group["maps_conv/kernel:0"]
        group["maps_conv/kernel:0"] = np.zeros((1, 1, 2, 2), np.float32)
    with pytest.raises(ValueError, match="'maps_conv' should have weights of the shapes"):
        architecture.build(file)
    with h5py.File(file, "r+") as opened:
        del opened["stem_conv"]
    with pytest.raises(ValueError, match="no weights for the layer 'stem_conv'"):
        architecture.build(file)


def test_renders_are_balanced_kept_and_named_by_what_made_them(tmp_path: Path) -> None:
    progress: list[int] = []
    first = renders.load(tmp_path, 100, seed=1, drawn=progress.append)
    again = renders.load(tmp_path, 100, seed=1, drawn=lambda _: pytest.fail("drawn twice"))
    assert progress == [50, 100]
    assert np.array_equal(first.images, again.images)
    assert np.bincount(first.truth[:, 0]).tolist() == [50, 25, 25]
    intact = first.truth[:, 0] == LABELS.index("intact")
    assert not first.damage[intact].any()
    assert first.damage[~intact].any(axis=(1, 2)).mean() > 0.9
    assert renders.digest(100, 1) != renders.digest(100, 2)


def training(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "worker.backbones.insertnet.train", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_same_training_gives_the_same_bytes(tmp_path: Path) -> None:
    """Twice at once, on one cache, so that neither harms the other either."""
    runs = []
    for name in ("first", "second"):
        weights, manifest = tmp_path / f"{name}.h5", tmp_path / f"{name}.json"
        files = ["--weights", str(weights), "--manifest", str(manifest), "--cache", str(tmp_path / "cache")]
        runs.append((training("--renders", "64", "--held-out", "40", "--epochs", "1", *files), weights, manifest))
    digests = []
    for process, weights, manifest in runs:
        _, errors = process.communicate(timeout=250)
        assert process.returncode == 0, errors
        digests.append(hashlib.sha256(weights.read_bytes()).hexdigest())
        assert json.loads(manifest.read_text(encoding="utf-8"))["sha256"] == digests[-1]
    assert digests[0] == digests[1] != MANIFEST_VALUES["sha256"]
    assert not list((tmp_path / "cache").glob("unfinished-*"))


def test_help_says_what_it_writes_and_how_to_try_it() -> None:
    text = " ".join(training("--help").communicate()[0].split())
    for word in ("--renders", "--weights", "--manifest", "--seed", "in a minute"):
        assert word in text
