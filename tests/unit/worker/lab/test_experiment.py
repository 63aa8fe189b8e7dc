import json
from dataclasses import dataclass, replace
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from worker.dataset.duplicates import ImageUnreadable
from worker.dataset.labelled_folder import DatasetError, load_image
from worker.evaluation.splits import SplitScore, repeated_splits, score_splits
from worker.lab.calibrated_cut import calibrated_scores
from worker.lab.experiment import result_folder, run, scan_all
from worker.lab.imagenet_error import top1_error
from worker.lab.recipe import BackboneResult, Recipe, RepeatedScores
from worker.lab.report import markdown, results_json, results_text, write_results
from worker.lab.speed_comparison import count, duration, explain
from worker.models import store
from worker.models.gram_svm import gram
from worker.models.linear_svm import LinearModel


@dataclass
class TinyBackbone:
    """The mean colours of the image's 4 × 4 parts: small, exact, and of the interface of a real backbone."""

    name: str = "tiny:mean"
    family: str = "tiny"
    fingerprint: str = "ab" * 32
    feature_size: int = 48
    input_size: tuple[int, int] = (16, 12)
    layers: int = 2
    parameters: int = 0

    def network_summary(self):
        return SimpleNamespace(layers=5, parameters=10, multiply_adds=4000)

    def features_of(self, images):
        assert all(image.dtype == np.uint8 for image in images)
        n = len(images)
        return (np.stack(images).astype(np.float32) / 255).reshape(n, 4, 4, 4, 3, 3).mean(axis=(2, 4)).reshape(n, 48)


def photograph(path, brightness, rng):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.clip(rng.normal(brightness, 40, (20, 24, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(5)
    root = tmp_path / "inserts"
    lines = ["file,insert"]
    for label, (name, images) in enumerate((("intact", 24), ("worn", 16))):
        for number in range(images):
            photograph(root / name / f"{number}.png", 120 + 4 * label + rng.normal(0, 4), rng)
            lines.append(f"{name}/{number}.png,{name}{number // 4}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    (root / "worn" / "broken.png").write_bytes(b"not a picture")
    return root


def done(folder, tmp_path, recipe=None, backbone=None):
    recipe = recipe or Recipe(batch=7)
    (dataset,) = scan_all([folder], recipe)
    calls = []
    result = run(
        dataset, backbone or TinyBackbone(), 1000, recipe, tmp_path / "output", lambda *call: calls.append(call)
    )
    return dataset, result, calls


@pytest.mark.parametrize("recipe", [Recipe(batch=7), Recipe(test_size=0.4, repeats=8, stratify=False, batch=64)])
def test_the_scores_are_those_of_the_labs_notebook(folder, tmp_path, recipe):
    dataset, result, _ = done(folder, tmp_path, recipe)
    backbone = TinyBackbone()
    images = np.stack([load_image(file, backbone.input_size) for file in dataset.files])
    features, labels = backbone.features_of(images), dataset.labels
    accuracy = []
    for seed in range(1, recipe.repeats + 1):
        train, test = train_test_split(
            range(40),
            test_size=recipe.test_size,
            random_state=seed,
            stratify=labels if recipe.stratify else None,
        )
        svc = SVC(kernel="linear", class_weight="balanced").fit(features[train], labels[train])
        accuracy.append(svc.score(features[test], labels[test]))
    assert result.scores.accuracy == pytest.approx(accuracy)
    assert result.scores.confusion.sum() == recipe.repeats * len(test)


def test_the_labs_files_are_written(folder, tmp_path):
    _, result, calls = done(folder, tmp_path)
    write_results(result_folder(tmp_path / "output", "inserts", "tiny:mean"), result, Recipe())
    out = tmp_path / "output" / "inserts" / "tiny-mean"
    assert sorted(path.name for path in out.iterdir()) == ["features.h5", "labels.h5", "model", "resultsinserts.txt"]
    with h5py.File(out / "features.h5") as features, h5py.File(out / "labels.h5") as labels:
        stored, truth = features["dataset_1"][()], labels["dataset_1"][()]
    assert (stored.shape, stored.dtype) == ((40, 48), np.float32)
    assert truth.tolist() == [0] * 24 + [1] * 16
    saved = store.read(out / "model", TinyBackbone.fingerprint)
    model, manifest = saved.classifier, saved.manifest
    assert isinstance(model, LinearModel)
    assert (manifest.classes, manifest.trained_on, manifest.backbone) == (("intact", "worn"), 40, "tiny:mean")
    assert manifest.model_id == result.model_id
    whole = SVC(kernel="linear", class_weight="balanced").fit(stored, truth)
    assert model.predict(stored).tolist() == whole.predict(stored).tolist()
    assert calls[0] == (0, 40)
    assert calls[-1] == (40, 40)


def test_a_grouped_score_stands_beside_the_plain_one(folder, tmp_path):
    _, result, _ = done(folder, tmp_path)
    assert result.dataset.group_column == "insert"
    assert result.grouped_problem is None
    assert len(result.grouped.accuracy) == 5
    (folder / "labels.csv").unlink()
    _, plain, _ = done(folder, tmp_path)
    assert (plain.grouped, plain.grouped_problem) == (None, None)
    assert plain.scores.accuracy == result.scores.accuracy


def test_beside_the_cut_at_0_stands_the_calibrated_one(folder, tmp_path):
    """Of inserts of which six of seven are worn, in features that part every training image: weights say nothing."""
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], [20, 120])
    features = rng.normal(0, 1, (140, 400)) + 0.28 * labels[:, None] * (np.arange(400) < 60)
    kernel = gram(features)
    splits = list(repeated_splits(labels, test_size=0.3, repeats=10))
    at_zero = np.mean([score.macro_recall for score in score_splits(kernel, labels, splits, classes=2)])
    calibrated = calibrated_scores(kernel, labels, None, splits, C=1.0)
    assert np.mean(calibrated.macro_recall) > at_zero + 0.05
    assert calibrated_scores(kernel, labels + (np.arange(140) > 130), None, splits, C=1.0) is None, "three classes"

    dataset, result, _ = done(folder, tmp_path)
    answer = results_json([(dataset, [result])])["datasets"][0]["backbones"][0]
    assert len(answer["calibrated"]["macro_recall"]) == len(answer["grouped"]["calibrated"]["macro_recall"]) == 5
    told = results_text(result, Recipe())
    assert "Calibrated cut: mean macro recall" in told
    assert "Grouped by insert, calibrated cut: mean macro recall" in told
    assert "macro recall, grouped by insert, calibrated cut" in markdown([(dataset, [result])], Recipe())


def test_groups_that_cannot_be_divided_leave_the_reason_and_the_plain_scores(folder, tmp_path):
    text = (folder / "labels.csv").read_text().splitlines()
    one_group = [text[0], *(line.split(",")[0] + ",same" for line in text[1:])]
    (folder / "labels.csv").write_text("\n".join(one_group))
    dataset, result, _ = done(folder, tmp_path)
    assert "one group" in result.grouped_problem
    assert "one group" in results_text(result, Recipe())
    assert "one group" in markdown([(dataset, [result])], Recipe())
    answer = results_json([(dataset, [result])])["datasets"][0]["backbones"][0]["grouped"]
    assert answer == {"column": "insert", "problem": result.grouped_problem}


def test_an_image_that_breaks_after_the_scan_is_skipped_and_named(folder, tmp_path, monkeypatch):
    def breaking(file, size):
        if file.name == "3.png":
            raise ImageUnreadable("cannot be decoded: it went away")
        return load_image(file, size)

    monkeypatch.setattr("worker.lab.experiment.load_image", breaking)
    dataset, result, _ = done(folder, tmp_path)
    assert len(dataset.files) == 40
    assert len(result.dataset.files) == 38
    assert [file.name for file, _ in result.dataset.skipped] == ["broken.png", "3.png", "3.png"]
    text = results_text(result, Recipe())
    assert "intact/3.png: cannot be decoded: it went away" in text
    assert "Skipped files: 3" in text


def test_the_json_has_what_the_design_names(folder, tmp_path):
    dataset, result, _ = done(folder, tmp_path)
    (answer,) = json.loads(json.dumps(results_json([(dataset, [result])])))["datasets"]
    assert {"name", "classes", "images", "skipped", "backbones"} <= set(answer)
    assert (answer["name"], answer["classes"], answer["images"], answer["skipped"]) == (
        "inserts",
        ["intact", "worn"],
        40,
        1,
    )
    (backbone,) = answer["backbones"]
    assert backbone["backbone"] == "tiny:mean"
    assert backbone["feature_size"] == 48
    assert backbone["accuracy"] == result.scores.accuracy
    assert backbone["macro_recall"] == result.scores.macro_recall
    assert len(backbone["accuracy"]) == 5
    assert 0 < backbone["seconds_per_image"] < 1
    assert 0 < backbone["seconds_evaluation"] < 10
    assert len(backbone["grouped"]["accuracy"]) == 5


def test_the_results_file_has_every_split_and_the_means(folder, tmp_path):
    _, result, _ = done(folder, tmp_path)
    text = results_text(result, Recipe())
    for number, accuracy in enumerate(result.scores.accuracy, start=1):
        assert f"\nsplit {number}: accuracy {accuracy:.6f}, macro recall" in text
    mean, deviation = np.mean(result.scores.accuracy), np.std(result.scores.accuracy)
    assert f"mean accuracy: {mean:.6f}, standard deviation {deviation:.6f}" in text
    assert "Feature vector size: 48" in text
    assert "worn/broken.png: not an image" in text


def test_a_photograph_in_two_classes_is_left_out_and_told_everywhere_unless_it_is_kept(folder, tmp_path):
    first, *_ = sorted((folder / "worn").iterdir())
    (folder / "intact" / "copy.png").write_bytes(first.read_bytes())
    (folder / "labels.csv").write_text("file,setup\n")
    dataset, result, _ = done(folder, tmp_path)
    recipe = Recipe()
    told = results_json([(dataset, [result])])["datasets"][0]
    both = {str(first), str(folder / "intact" / "copy.png")}
    assert {each["file"] for each in told["skipped_files"]} == {*both, str(folder / "worn" / "broken.png")}
    assert "none of them is group or insert" in told["warnings"][0]
    for text in (markdown([(dataset, [result])], recipe), results_text(result, recipe)):
        assert "the same photograph is also there as intact/copy.png: left out of both classes" in text
        assert "none of them is group or insert" in text
    kept, *_ = done(folder, tmp_path, Recipe(keep_duplicates=True))
    assert len(kept.files) == len(dataset.files) + 2
    assert [file.name for file, _ in kept.skipped] == ["broken.png"]


def test_features_that_are_all_the_same_are_said(folder, tmp_path):
    class Blind(TinyBackbone):
        def features_of(self, images):
            return np.full_like(super().features_of(images), 0.3)

    with pytest.raises(DatasetError, match="images have the same features by"):
        done(folder, tmp_path, backbone=Blind())


def test_two_sets_of_one_name_would_overwrite_each_other(folder, tmp_path):
    with pytest.raises(DatasetError, match="a folder name of its own"):
        scan_all([folder, folder], Recipe())


def test_a_folder_without_the_column_has_no_groups_and_a_note(folder):
    [dataset] = scan_all([folder], Recipe(group_column="setup"))
    assert dataset.groups is None
    assert "none of them is setup" in dataset.notes[0]


@pytest.mark.parametrize("recipe", [Recipe(test_size=0.99), Recipe(test_size=2.0), Recipe(test_size=0.01)])
def test_a_split_that_cannot_be_made_is_found_before_any_work(folder, recipe):
    with pytest.raises(DatasetError, match="inserts"):
        scan_all([folder], recipe)


def timed(backbone, family, reading, network, gram, evaluation, multiply_adds, **values):
    """A result with these times in seconds."""
    confusion = np.array([[8, 2], [1, 9]])
    scores = RepeatedScores((SplitScore(1, np.zeros(20, np.int64), confusion, 0.002),))
    root = SimpleNamespace(group_column=None, classes=("a", "b"), labels=np.array([0, 1]), skipped=())
    defaults = {
        "feature_size": 4096,
        "input_size": (224, 224),
        "layers": 20,
        "parameters": 1000,
        "model_id": "x",
        "grouped": None,
        "grouped_problem": None,
    }
    return BackboneResult(
        dataset=root,
        backbone=backbone,
        family=family,
        multiply_adds=multiply_adds,
        network=SimpleNamespace(layers=23, parameters=2000, multiply_adds=2 * multiply_adds),
        scores=scores,
        seconds_reading=reading,
        seconds_network=network,
        seconds_gram=gram,
        seconds_evaluation=evaluation,
        **defaults | values,
    )


SLOW = timed("vgg16:fc1", "vgg16", 0.01, 0.2, 0.004, 0.02, 15_500_000_000)
FAST = timed("mobilenet:conv1_relu", "mobilenet", 0.01, 0.005, 0.3, 0.32, 10_800_000, layers=4, feature_size=401_408)


def test_why_one_is_faster_is_said_from_the_numbers():
    text = "\n".join(explain([SLOW, FAST]))
    assert "`mobilenet:conv1_relu` is 14 times faster than `vgg16:fc1`" in text
    assert "1.44e+03 times fewer multiply-adds, in 4 layers against 20" in text
    assert "35.9 times fewer of them a second" in text
    assert "In the repeats `vgg16:fc1` is 16 times faster" in text
    assert "4.1 thousand against 401 thousand features" in text
    assert explain([FAST, SLOW]) == explain([SLOW, FAST])


def test_equal_times_are_called_equal_and_one_backbone_is_not_compared():
    twin = replace(FAST, backbone="other:layer", seconds_network=0.0051)
    text = "\n".join(explain([FAST, twin]))
    assert text.count("about equally fast") == 2
    (alone,) = explain([FAST])
    assert "67% of it to read" in alone
    assert "50.0% of the whole network's" in alone


def test_the_side_by_side_table_has_one_column_a_backbone():
    dataset = SimpleNamespace(
        name="a|b",
        classes=("a", "b"),
        labels=np.array([0, 1]),
        skipped=(),
        notes=(),
        files=("x", "y"),
        group_column=None,
    )
    text = markdown([(dataset, [SLOW, FAST])], Recipe())
    table = [line for line in text.splitlines() if line.startswith("|") and line.count("|") == 4]
    assert any("28.7 % | 29.6 %" in line for line in table)
    assert any("4,096 | 401,408" in line for line in table)
    assert any("20 (23) | 4 (23)" in line for line in table)
    assert any("0.850 ± 0.000 | 0.850 ± 0.000" in line for line in table)
    assert "## a\\|b" in text
    assert "| a | 8 | 2 |" in text.replace("  ", " ")


def test_published_errors_of_the_labs_two_networks():
    assert (top1_error("vgg16"), top1_error("mobilenet")) == (28.7, 29.6)


def test_every_network_of_keras_has_a_published_error():
    from worker.backbones.keras_families import families

    assert [family for family in families() if top1_error(family) is None] == []


@pytest.mark.parametrize(
    ("value", "text"), [(12.3456, "12.3 s"), (0.0123, "12.3 ms"), (0.000123, "123 µs"), (1.0, "1 s")]
)
def test_durations_are_readable(value, text):
    assert duration(value) == text


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (4096, "4.1 thousand"), (15.5e9, "15.5 thousand million")])
def test_counts_are_readable(value, text):
    assert count(value) == text
