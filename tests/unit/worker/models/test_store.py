import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from pydantic import ValidationError

from worker.models.calibration import Calibration
from worker.models.costs import Costs
from worker.models.linear_svm import LinearModel
from worker.models.novelty import MOST_COLUMNS, Novelty, learnt_novelty
from worker.models.store import (
    CLASSIFIER_FILE,
    MANIFEST_FILE,
    ModelError,
    model_id,
    model_name,
    read,
    read_manifest,
    save,
)
from worker.models.unsure_band import Band, band
from worker.networks.default_backbone import DEFAULT_BACKBONE

FINGERPRINT = "ab" * 32
RNG = np.random.default_rng(0)
MODEL = LinearModel(("damaged", "intact"), RNG.normal(size=(1, 50)).astype(np.float32), RNG.normal(size=1))


def stored(folder, model=MODEL, **changes):
    values = {
        "backbone": "mobilenet:conv1_relu",
        "fingerprint": FINGERPRINT,
        "trained_on": 194,
        "settings": {"C": 1.0},
        "metrics": {"accuracy": [0.75, 0.8]},
        "created_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
    } | changes
    return save(folder, model, **values)


def edited(folder, **changes):
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest | changes))


def rewritten(folder, write):
    """Replace the arrays by what `write` puts into an HDF5 file, with the manifest's digest to match."""
    with h5py.File(folder / CLASSIFIER_FILE, "w") as file:
        write(file)
    edited(folder, classifier_sha256=hashlib.sha256((folder / CLASSIFIER_FILE).read_bytes()).hexdigest())


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_a_saved_model_comes_back_bit_for_bit(tmp_path, classes):
    planes = 1 if classes == 2 else classes * (classes - 1) // 2
    coef, intercept = RNG.normal(size=(planes, 7)).astype(np.float32), RNG.normal(size=planes)
    model = LinearModel(tuple("abcd"[:classes]), coef, intercept)
    manifest = stored(tmp_path / "m", model)
    found = read(tmp_path / "m", FINGERPRINT)
    loaded, same = found.classifier, found.manifest
    assert same == manifest
    assert (same.classes, same.feature_size, same.trained_on) == (model.classes, 7, 194)
    assert same.metrics == {"accuracy": [0.75, 0.8]}
    np.testing.assert_array_equal(loaded.coef, coef)
    np.testing.assert_array_equal(loaded.intercept, intercept)
    assert (loaded.coef.dtype, loaded.intercept.dtype) == (np.float32, np.float64)


def test_a_model_with_its_name_of_before_can_be_read(tmp_path):
    """Before, the whole of the backbone's name was in it."""
    digest = stored(tmp_path / "m").model_id.rpartition("-")[2]
    edited(tmp_path / "m", model_id=f"mobilenet-conv1_relu-{digest}")
    assert read(tmp_path / "m", FINGERPRINT).manifest.model_id == f"mobilenet-conv1_relu-{digest}"


def test_a_name_is_short_and_can_name_a_file_everywhere(tmp_path):
    long = DEFAULT_BACKBONE
    name = stored(tmp_path / "m", backbone=long).model_id
    assert re.fullmatch(r"efficientnet_lite0-[0-9a-f]{12}", name)
    blocks = "-".join(f"block{number}_out-gap-max-min-mid-fg" for number in (7, 10, 14))
    assert model_name(long) == f"efficientnet_lite0-{blocks}-int8"


def test_the_name_follows_from_the_content_alone(tmp_path):
    first = stored(tmp_path / "a")
    again = stored(tmp_path / "b", trained_on=7, created_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert first.model_id == again.model_id == model_id(MODEL, first.backbone, FINGERPRINT)
    assert first.classifier_sha256 == again.classifier_sha256
    assert first.model_id.startswith("mobilenet-")
    assert first.model_id != model_id(MODEL, first.backbone, "cd" * 32)
    renamed = LinearModel(("intact", "damaged"), MODEL.coef, MODEL.intercept)
    assert first.model_id != model_id(renamed, first.backbone, FINGERPRINT)


def test_saving_over_a_model_replaces_it_and_leaves_nothing_else(tmp_path):
    stored(tmp_path / "m")
    other = LinearModel(("a", "b"), np.ones((1, 3), np.float32), np.zeros(1))
    stored(tmp_path / "m", other)
    assert read(tmp_path / "m").manifest.feature_size == 3
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [CLASSIFIER_FILE, MANIFEST_FILE]


@pytest.mark.parametrize("change", [{"created_at": datetime(2026, 1, 1)}, {"fingerprint": "x"}, {"trained_on": 0}])  # noqa: DTZ001
def test_values_that_a_manifest_cannot_hold_leave_the_old_model(tmp_path, change):
    before = stored(tmp_path / "m")
    with pytest.raises(ValidationError):
        stored(tmp_path / "m", **change)
    assert read_manifest(tmp_path / "m") == before
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_another_backbones_features_are_refused_with_both_fingerprints(tmp_path):
    stored(tmp_path / "m")
    with pytest.raises(ModelError, match=r"abababababab.*cdcdcdcdcdcd"):
        read(tmp_path / "m", "cd" * 32)


@pytest.mark.parametrize("name", [CLASSIFIER_FILE, MANIFEST_FILE])
def test_a_missing_file_is_named(tmp_path, name):
    stored(tmp_path / "m")
    (tmp_path / "m" / name).unlink()
    with pytest.raises(ModelError, match=name):
        read(tmp_path / "m")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="cannot read"):
        read(tmp_path / "nothing")


@pytest.mark.parametrize("name", [CLASSIFIER_FILE, MANIFEST_FILE])
@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path, name, keep):
    stored(tmp_path / "m")
    path = tmp_path / "m" / name
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ModelError):
        read(tmp_path / "m")


def test_every_flipped_byte_of_the_arrays_is_noticed(tmp_path):
    stored(tmp_path / "m")
    path = tmp_path / "m" / CLASSIFIER_FILE
    data = path.read_bytes()
    for position in range(0, len(data), 97):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(ModelError, match="not the file"):
            read(tmp_path / "m")


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ["intact", "damaged"]},
        {"classes": ["damaged"]},
        {"classes": ["a", "b", "c"]},
        {"feature_size": 49},
        {"feature_size": 0},
        {"schema_version": 2},
        {"model_id": "mobilenet-conv1_relu-000000000000"},
        {"fingerprint": "cd" * 32},
        {"unknown": 1},
        {"created_at": "2026-03-01T12:00:00"},
    ],
)
def test_an_edited_manifest_is_refused(tmp_path, change):
    stored(tmp_path / "m")
    edited(tmp_path / "m", **change)
    with pytest.raises(ModelError):
        read(tmp_path / "m")


def test_a_huge_file_is_not_read_into_memory(tmp_path):
    stored(tmp_path / "m")
    for name in (CLASSIFIER_FILE, MANIFEST_FILE):
        with (tmp_path / "m" / name).open("r+b") as file:
            file.truncate(1 << 40)  # sparse: takes no room on the disk
        with pytest.raises(ModelError, match="larger"):
            read(tmp_path / "m")


def _coef(**options):
    return lambda file: (
        file.create_dataset("coef", data=np.ones((1, 50), np.float32), **options),
        file.create_dataset("intercept", data=np.zeros(1)),
    )


def _external(file):
    other = Path(file.filename).parent / "other.bin"
    file.create_dataset("coef", data=np.ones((1, 50), np.float32), external=[(str(other), 0, 200)])
    file.create_dataset("intercept", data=np.zeros(1))


def _link(link):
    def write(file):
        file["coef"] = link
        file.create_dataset("intercept", data=np.zeros(1))

    return write


BAD_ARRAYS = {
    "nothing": lambda file: file.flush(),
    "no intercept": lambda file: file.create_dataset("coef", data=np.ones((1, 50), np.float32)),
    "a group": lambda file: file.create_group("coef"),
    "compressed": _coef(compression="gzip"),
    # Files of the test's own folder only: HDF5 writes through to an external file, so never name a real one.
    "in another file": _external,
    "linked to another file": _link(h5py.ExternalLink("other.h5", "/x")),
    "a soft link": _link(h5py.SoftLink("/x")),
    "float64": lambda file: (
        file.create_dataset("coef", data=np.ones((1, 50))),
        file.create_dataset("intercept", data=np.zeros(1)),
    ),
    "too short": lambda file: (
        file.create_dataset("coef", data=np.ones((1, 49), np.float32)),
        file.create_dataset("intercept", data=np.zeros(1)),
    ),
    "too many planes": lambda file: (
        file.create_dataset("coef", data=np.ones((2, 50), np.float32)),
        file.create_dataset("intercept", data=np.zeros(2)),
    ),
    "not finite": lambda file: (
        file.create_dataset("coef", data=np.full((1, 50), np.nan, np.float32)),
        file.create_dataset("intercept", data=np.zeros(1)),
    ),
    "other numbers": _coef(),
}


@pytest.mark.parametrize("what", BAD_ARRAYS)
def test_arrays_that_are_not_the_model_are_refused(tmp_path, what):
    stored(tmp_path / "m")
    rewritten(tmp_path / "m", BAD_ARRAYS[what])
    with pytest.raises(ModelError):
        read(tmp_path / "m")


def test_a_file_that_is_not_hdf5_is_refused(tmp_path):
    stored(tmp_path / "m")
    (tmp_path / "m" / CLASSIFIER_FILE).write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
    edited(tmp_path / "m", classifier_sha256=hashlib.sha256(b"cos\nsystem\n(S'echo'\ntR.").hexdigest())
    with pytest.raises(ModelError, match="does not hold the model"):
        read(tmp_path / "m")


KIND = LinearModel(("worn", "broken"), RNG.normal(size=(1, 50)).astype(np.float32), RNG.normal(size=1))
NOVELTY = learnt_novelty(RNG.normal(1, 0.5, (40, 50)).astype(np.float32), np.arange(40))
assert NOVELTY is not None
WHOLE = {
    "snapshot_id": "a" * 64,
    "C": 0.25,
    "standardised": True,
    "calibration": Calibration(1.0 / 3.0, -0.1),
    "band": band(Costs(30, 5, 1)),
    "costs": Costs(30, 5, 1),
    "kind": KIND,
    "novelty": NOVELTY,
}


def test_calibration_band_and_finer_model_come_back_bit_for_bit(tmp_path):
    manifest = stored(tmp_path / "m", **WHOLE)
    found = read(tmp_path / "m", FINGERPRINT)
    assert found.manifest == manifest
    for name, value in WHOLE.items():
        if name not in ("kind", "novelty"):
            assert getattr(found.manifest, name) == value
    np.testing.assert_array_equal(found.classifier.coef, MODEL.coef)
    np.testing.assert_array_equal(found.kind.coef, KIND.coef)
    np.testing.assert_array_equal(found.kind.intercept, KIND.intercept)
    line_model = found.line_model()
    assert (line_model.model_id, line_model.band) == (manifest.model_id, WHOLE["band"])
    assert line_model.kind.classes == ("worn", "broken")
    np.testing.assert_array_equal(line_model.novelty.learnt, NOVELTY.learnt)
    np.testing.assert_array_equal(line_model.novelty.distances, NOVELTY.distances)
    told = found.manifest.novelty
    assert (told.kept, told.columns, told.limit) == (40, 50, NOVELTY.limit)


def test_learnt_photographs_of_long_features_come_back_bit_for_bit(tmp_path):
    size = MOST_COLUMNS * 3 + 1
    novelty = learnt_novelty(RNG.normal(size=(30, size)).astype(np.float32), np.arange(30))
    model = LinearModel(("intact", "damaged"), np.ones((1, size), np.float32), np.zeros(1))
    stored(tmp_path / "m", model, novelty=novelty)
    found = read(tmp_path / "m").arrays.novelty
    np.testing.assert_array_equal(found.learnt, novelty.learnt)
    np.testing.assert_array_equal(found.signs, novelty.signs)


def _novelty_arrays(rows, distances):
    def write(file):
        for prefix, planes in (("", MODEL), ("kind_", KIND)):
            file.create_dataset(f"{prefix}coef", data=planes.coef)
            file.create_dataset(f"{prefix}intercept", data=planes.intercept)
        file.create_dataset("novelty_learnt", data=rows)
        file.create_dataset("novelty_distances", data=distances)

    return write


@pytest.mark.parametrize(
    "write",
    [
        _novelty_arrays(NOVELTY.learnt[:, :49], NOVELTY.distances),
        _novelty_arrays(NOVELTY.learnt[:39], NOVELTY.distances[:39]),
        _novelty_arrays(NOVELTY.learnt, NOVELTY.distances + 1),
        _novelty_arrays(NOVELTY.learnt, np.full(40, np.inf)),
        _novelty_arrays(NOVELTY.learnt.astype(np.float64), NOVELTY.distances),
    ],
    ids=["too narrow", "too few", "others", "not finite", "float64"],
)
def test_learnt_photographs_that_are_not_the_models_are_refused(tmp_path, write):
    stored(tmp_path / "m", **WHOLE)
    rewritten(tmp_path / "m", write)
    with pytest.raises(ModelError):
        read(tmp_path / "m")


@pytest.mark.parametrize("change", ["calibration", "band", "kind", "novelty"])
def test_what_the_answers_depend_on_is_part_of_the_name(tmp_path, change):
    whole = stored(tmp_path / "a", **WHOLE).model_id
    assert stored(tmp_path / "b", **WHOLE).model_id == whole
    assert stored(tmp_path / "c", **(WHOLE | {change: None})).model_id != whole
    assert stored(tmp_path / "d", **(WHOLE | {"snapshot_id": None})).model_id == whole


def test_a_manifest_from_before_there_were_bands_is_read_as_it_was(tmp_path):
    manifest = stored(tmp_path / "m")
    old = {
        name: value
        for name, value in json.loads((tmp_path / "m" / MANIFEST_FILE).read_text()).items()
        if name not in (*WHOLE, "kind_classes")
    }
    (tmp_path / "m" / MANIFEST_FILE).write_text(json.dumps(old))
    found = read(tmp_path / "m")
    assert found.manifest == manifest
    line_model = found.line_model()
    assert (line_model.calibration, line_model.band, line_model.kind, line_model.novelty) == (None, None, None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"calibration": {"slope": 9.0, "offset": -0.1}},
        {"calibration": {"slope": -1.0, "offset": -0.1}},
        {"calibration": None},
        {"band": {"lower": 0.0, "threshold": 0.0, "upper": 0.0}},
        {"band": {"lower": 0.9, "threshold": 0.5, "upper": 0.1}},
        {"costs": {"missed_damaged": 0, "needless_change": 5, "look": 1}},
        {"kind_classes": None},
        {"kind_classes": ["broken", "worn"]},
        {"kind_classes": ["a", "b", "c"]},
        {"C": 0},
        {"novelty": None},
        {"novelty": {"kept": 40, "columns": 50, "limit": 9.0, "false_alarms": NOVELTY.false_alarms}},
        {"novelty": {"kept": 10**9, "columns": 50, "limit": NOVELTY.limit, "false_alarms": NOVELTY.false_alarms}},
    ],
)
def test_a_manifest_edited_where_the_answers_come_from_is_refused(tmp_path, change):
    stored(tmp_path / "m", **WHOLE)
    edited(tmp_path / "m", **change)
    with pytest.raises(ModelError):
        read(tmp_path / "m")


def test_a_finer_model_of_another_size_is_not_written(tmp_path):
    other = LinearModel(("worn", "broken"), np.ones((1, 3), np.float32), np.zeros(1))
    with pytest.raises(ModelError, match="finer model"):
        stored(tmp_path / "m", kind=other)
    assert not (tmp_path / "m").exists()


def test_a_models_name_stays_the_same_from_version_to_version():
    model = LinearModel(("intact", "damaged"), np.array([[1, 2, 3]], np.float32), np.array([0.5]))
    kind = LinearModel(("worn", "broken"), model.coef, model.intercept)
    plain = model_id(model, "mobilenet:conv1_relu", "c" * 64)
    full = model_id(
        model,
        "mobilenet:conv1_relu",
        "c" * 64,
        calibration=Calibration(1.5, -0.25),
        band=Band(0.1, 0.2, 0.8),
        kind=kind,
    )
    assert (plain, full) == ("mobilenet-779ab7f6e4f7", "mobilenet-86d2609cedab")
    novelty = Novelty(np.eye(3, dtype=np.float32), np.array([0.25, 0.5, 1.0]))
    assert model_id(model, "mobilenet:conv1_relu", "c" * 64, novelty=novelty) == "mobilenet-63e756a0710f"


def test_what_is_usual_comes_back_and_models_of_before_have_none(tmp_path):
    usual = RNG.normal(size=50).astype(np.float32)
    stored(tmp_path / "m", usual=usual)
    np.testing.assert_array_equal(read(tmp_path / "m").line_model().usual, usual)
    stored(tmp_path / "old")
    assert read(tmp_path / "old").line_model().usual is None


@pytest.mark.parametrize("usual", [np.zeros(49, np.float32), np.full(50, np.nan, np.float32)])
def test_what_is_usual_has_a_finite_number_for_each_feature(tmp_path, usual):
    stored(tmp_path / "m", usual=usual)
    with pytest.raises(ModelError, match="what is usual"):
        read(tmp_path / "m")
