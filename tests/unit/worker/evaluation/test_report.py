import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from db.learning.reviews import Labelled
from worker.evaluation.cross_validation import cross_validate
from worker.evaluation.pooled_predictions import pool
from worker.evaluation.promotion_rule import Newest, decide
from worker.evaluation.report import Evaluation, report_json, report_text, write_report
from worker.models.costs import Costs
from worker.models.store import model_name
from worker.models.unsure_band import band, coverage_at_accuracy

START = datetime(2026, 3, 1, tzinfo=UTC)
COUNT = 120
FIGURES = {"confusion.png", "roc.png", "calibration.png", "decided.png", "accuracy_over_time.png"}


def labelled(row: int, side: int) -> Labelled:
    return Labelled(
        capture_id=UUID(int=row + 1),
        image=f"images/{row}.jpg",
        image_sha256=f"{row:064x}",
        region=None,
        label="worn" if side else "intact",
        insert_key=f"mill-1/h/1/{row // 3}",
        machine="mill-1" if row < 100 else "mill-2",
        station="station-1",
        captured_at=START + timedelta(hours=row),
        review_id=row + 1,
    )


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(0)
    inserts = np.repeat(np.arange(COUNT // 3), 3)
    sides = (inserts % 2).astype(np.int64)
    features = rng.normal(size=(COUNT, 12)) + 0.7 * sides[:, None] * rng.normal(size=12)
    champion = np.where(rng.random(COUNT) < 0.5, sides, -1)
    found = cross_validate(
        features.astype(np.float32), sides, inserts, costs=Costs(), repeats=3, champion_labels=champion
    )
    return Evaluation(
        name="abc123",
        at=START,
        backbone="vgg16:fc1",
        fingerprint="f" * 64,
        feature_size=12,
        items=[labelled(row, side) for row, side in enumerate(sides.tolist())],
        assessments=found,
        costs=Costs(),
        snapshot_id="abc123",
        candidate="new",
        champion="old",
        decision=decide(*found["grouped"]),
        newest=Newest(np.array([0, 1, 1]), np.array([-1.0, 1.0, -1.0]), np.array([1.0, 1.0, 1.0])),
    )


def test_the_folder_has_json_the_lab_s_file_and_figures_that_can_be_read(evaluation, tmp_path):
    folder = write_report(tmp_path / "reports" / "abc123", evaluation)
    assert {file.name for file in folder.iterdir()} == {"evaluation.json", "resultsabc123.txt", *FIGURES}
    # Numbers that JSON does not have (NaN, Infinity) would shut other languages' readers out.
    content = json.loads((folder / "evaluation.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert content == json.loads(json.dumps(report_json(evaluation)))
    assert (folder / "resultsabc123.txt").read_text("utf-8") == report_text(evaluation)
    for name in FIGURES:
        image = Image.open(io.BytesIO((folder / name).read_bytes()))
        assert image.width > 500
        assert len(image.convert("RGB").getcolors(2**20) or ()) > 50


def test_where_some_images_are_assessed_only_the_report_says_so(evaluation, monkeypatch):
    assert report_json(evaluation)["assessed"] == COUNT
    assert "Assessed" not in report_text(evaluation)
    monkeypatch.setattr("worker.evaluation.assessed_rows.MOST_ASSESSED", 60)
    assert report_json(evaluation)["assessed"] == 60
    assert "Assessed: 60 images of whole inserts, drawn at random; the model learned from all" in report_text(
        evaluation
    )


def test_a_report_replaces_the_one_before_wholly_or_not_at_all(evaluation, tmp_path, monkeypatch):
    folder = write_report(tmp_path / "report", replace(evaluation, name="before"))
    (folder / "left.txt").write_text("of an older version")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.evaluation.report.report_text", full)
    with pytest.raises(OSError, match="No space"):
        write_report(folder, evaluation)
    assert (folder / "resultsbefore.txt").exists()
    monkeypatch.undo()
    write_report(folder, evaluation)
    assert {file.name for file in folder.iterdir()} == {"evaluation.json", "resultsabc123.txt", *FIGURES}
    assert [each.name for each in tmp_path.iterdir()] == ["report"]


def test_the_figures_in_it_are_those_of_the_assessment(evaluation):
    content = report_json(evaluation)
    assert (content["images"], content["inserts"]) == (COUNT, COUNT // 3)
    assert content["labels"] == {"intact": 60, "worn": 60}
    assert content["decision"]["promote"] == evaluation.decision.promote
    assert content["newest"] == {
        "images": 3,
        "damaged": 2,
        "candidate": {"right": 2, "damaged_found": 1},
        "champion": {"right": 2, "damaged_found": 2},
    }
    for kind in ("plain", "grouped"):
        for who, assessment in zip(("candidate", "champion"), evaluation.assessments[kind], strict=True):
            told = content["evaluations"][kind][who]
            accuracy = told["scores"]["accuracy"]
            assert accuracy["splits"] == assessment.values("accuracy")
            assert accuracy["low"] < accuracy["mean"] == np.mean(accuracy["splits"]) < accuracy["high"]
            confusion = np.array(told["confusion"])
            tested = sum(len(split.rows) for split in assessment.splits)
            assert confusion.sum() == tested == sum(bar["count"] for bar in told["reliability"])
            wrong = confusion[0, 1] + confusion[1, 0]
            assert wrong == sum(each["wrong"] for each in told["wrong"]) > 0
            share = told["decided_at"]["share"]["mean"]
            answers = pool(assessment, evaluation.sides)
            assert share == coverage_at_accuracy(band(evaluation.costs), answers.probabilities, answers.truth)
            assert told["trades"][-1]["share"] == 1.0
            assert list(told["by_machine"]) == ["mill-1"]  # the other has too few images
            assert sum(period["images"] for period in told["over_time"]) <= COUNT


def test_the_name_of_any_model_names_a_report(evaluation):
    name = model_name("mobilenet:conv_pw_12_relu+gap") + "-0123456789ab"
    assert report_json(replace(evaluation, name=name))["name"] == name


def test_an_image_that_is_answered_wrong_can_be_found(evaluation):
    wrong = report_json(evaluation)["evaluations"]["grouped"]["candidate"]["wrong"]
    assert wrong
    for each in wrong:
        item = evaluation.items[UUID(each["capture_id"]).int - 1]
        assert (each["image"], each["label"], each["insert"]) == (item.image, item.label, item.insert_key)
        assert 0 < each["wrong"] <= each["tested"] <= 3


def test_the_text_names_every_split_and_says_where_there_is_no_interval(evaluation):
    text = report_text(evaluation)
    assert text.startswith("Dataset: abc123\nClasses: 0 = intact, 1 = damaged\n")
    for who in ("plain", "grouped", "grouped, champion"):
        assert f"{who}: split 3: accuracy 0." in text
        assert f"{who}: mean recall damaged: 0." in text
    assert f"Promote: {'yes' if evaluation.decision.promote else 'no'}" in text
    alone = replace(evaluation.assessments["grouped"][0], splits=evaluation.assessments["grouped"][0].splits[:1])
    single = replace(evaluation, assessments={"plain": (alone, None)}, problems={"grouped": "one insert only"})
    assert "grouped: no scores, one insert only" in report_text(single)
    accuracy = report_json(single)["evaluations"]["plain"]["candidate"]["scores"]["accuracy"]
    assert (accuracy["low"], accuracy["high"]) == (0.0, 1.0)  # one split says nothing of spread


def test_where_nothing_could_be_assessed_the_report_says_why(evaluation, tmp_path):
    nothing = replace(evaluation, assessments={}, problems={"plain": "too few", "grouped": "one insert only"})
    folder = write_report(tmp_path / "report", nothing)
    assert {file.name for file in folder.iterdir()} == {"evaluation.json", "resultsabc123.txt"}
    assert json.loads((folder / "evaluation.json").read_text("utf-8"))["problems"]["plain"] == "too few"
    assert "plain: no scores, too few" in (folder / "resultsabc123.txt").read_text("utf-8")


def test_the_same_value_in_every_split_is_no_proof_of_it(evaluation):
    once = evaluation.assessments["grouped"][0].splits[0]
    same = replace(evaluation.assessments["grouped"][0], splits=(once, once, once))
    found = replace(evaluation, assessments={"grouped": (same, None)})
    accuracy = report_json(found)["evaluations"]["grouped"]["candidate"]["scores"]["accuracy"]
    assert (accuracy["low"], accuracy["high"]) == (None, None)
    assert f"grouped: mean accuracy: {once.scores.accuracy:.6f}, no interval" in report_text(found)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"name": "../up"}, "named by letters"), ({"items": []}, "0 images")],
)
def test_parts_that_do_not_fit_are_refused(evaluation, changed, said):
    with pytest.raises(ValueError, match=said):
        replace(evaluation, **changed)
