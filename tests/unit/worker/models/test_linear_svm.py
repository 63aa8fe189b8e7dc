from pathlib import Path

import h5py
import numpy as np
import pytest
from sklearn.svm import SVC

from worker.dataset.labelled_folder import load_image, scan
from worker.evaluation.splits import repeated_splits
from worker.models.gram_svm import fit_gram, gram, primal
from worker.models.linear_svm import ClassifierError, LinearModel, votes

SHARED = Path(__file__).parents[4] / ".." / "shared"
PHOTOGRAPHS = SHARED / "data" / "turning-inserts"
WEIGHTS = SHARED / "weights" / "mobilenet_1_0_224_tf_no_top.partial.h5"


def blobs(sizes, features, distance, seed=0, scale=1.0):
    """Gaussian clouds, one a class, whose centres lie `distance` apart in units of the noise in each direction."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    centres = rng.normal(size=(len(sizes), features)) * distance / np.sqrt(features)
    return ((centres[labels] + rng.normal(size=(len(labels), features))) * scale).astype(np.float32), labels


SETS = {
    "overlapping": blobs((40, 40), 30, 1.0),
    "near-separable": blobs((60, 50), 400, 12.0),
    "separable": blobs((30, 30), 2000, 100.0),
    "imbalanced": blobs((90, 9), 200, 4.0),
    "wide": blobs((25, 25), 8_000, 30.0),
    "small numbers": blobs((40, 40), 300, 8.0, scale=1e-2),
    "large numbers": blobs((40, 40), 300, 8.0, scale=50.0),
    "three classes": blobs((30, 20, 40), 200, 6.0),
    "four classes, imbalanced": blobs((40, 10, 15, 6), 100, 5.0),
}


@pytest.mark.parametrize("name", SETS)
def test_every_split_predicts_what_svc_predicts_on_the_features(name):
    features, labels = SETS[name]
    assert_same_on_every_split(features, labels, repeats=10)


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS.exists(), reason="the shared photographs and weights are not here")
def test_every_split_of_real_photographs_predicts_what_svc_predicts(tmp_path):
    from worker.backbones.backbone import load_backbone

    folder = scan(PHOTOGRAPHS, check_images=False)
    backbone = load_backbone("mobilenet:conv1_relu", str(WEIGHTS), weights_folder=tmp_path)
    rows = np.concatenate([np.flatnonzero(folder.labels == label)[:24] for label in (0, 1)])
    images = np.stack([load_image(folder.files[row], backbone.input_size) for row in rows])
    features = np.concatenate(
        [backbone.features(backbone.prepare(images[start : start + 16])) for start in range(0, len(images), 16)]
    )
    assert_same_on_every_split(features, folder.labels[rows], repeats=3)


def assert_same_on_every_split(features, labels, repeats):
    kernel = gram(features)
    classes = tuple(f"class {label}" for label in np.unique(labels))
    for split in repeated_splits(labels, test_size=0.3, repeats=repeats):
        reference = SVC(kernel="linear", class_weight="balanced").fit(features[split.train], labels[split.train])
        expected = reference.predict(features[split.test])
        svm = fit_gram(kernel[np.ix_(split.train, split.train)], labels[split.train])
        assert svm.predict(kernel[np.ix_(split.test, split.train)]).tolist() == expected.tolist()
        model = primal(svm, features, classes, rows=split.train)
        assert model.predict(features[split.test]).tolist() == expected.tolist()
        reference.decision_function_shape = "ovo"
        decision = reference.decision_function(features[split.test]).reshape(len(split.test), -1)
        # libsvm stops within 1e-3 of the optimum, and stops elsewhere when the last bits of a product differ.
        np.testing.assert_allclose(model.decision(features[split.test]), decision, rtol=2e-3, atol=2e-3)


def test_above_zero_is_class_one_of_two():
    features = np.array([[-1.0, 0], [-2, 0], [1, 0], [2, 0]], np.float32)
    labels = np.array([0, 0, 1, 1])
    model = primal(fit_gram(gram(features), labels), features, ("damaged", "intact"))
    assert model.decision(np.array([[3.0, 0]], np.float32))[0, 0] > 0
    assert model.predict(np.array([[3.0, 5], [-3, 5]], np.float32)).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("decision", "expected"),
    [([1.0, 1, 1], 0), ([-1.0, 1, 1], 1), ([-1.0, -1, -1], 2), ([1.0, -1, 1], 0), ([0.0, 0, 0], 2)],
)
def test_three_classes_vote_as_libsvm_does(decision, expected):
    # Planes 0-1, 0-2, 1-2. The fourth is a tie of one vote each, which the lowest class wins.
    assert votes(np.array([decision]), 3).tolist() == [expected]


def test_gram_of_an_hdf5_dataset_in_many_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("worker.models.gram_svm._BLOCK_BYTES", 8 * 20 * 1024)
    features = np.random.default_rng(1).normal(size=(20, 5000)).astype(np.float32)
    with h5py.File(tmp_path / "f.h5", "w") as file:
        dataset = file.create_dataset("dataset_1", data=features, chunks=(8, 1024))
        labels = np.arange(20) % 2
        kernel = gram(dataset)
        exact = features.astype(np.float64) @ features.astype(np.float64).T
        np.testing.assert_allclose(kernel, exact, rtol=1e-12, atol=1e-9)
        svm = fit_gram(kernel, labels)
        from_file, from_memory = (primal(svm, source, ("a", "b")) for source in (dataset, features))
    np.testing.assert_array_equal(from_file.coef, from_memory.coef)
    np.testing.assert_allclose(from_file.decision(features)[:, 0], svm.decision_function(kernel), rtol=1e-5, atol=1e-5)


def test_a_row_that_is_not_finite_is_named():
    features = np.ones((4, 3), np.float32)
    features[2, 1] = np.nan
    with pytest.raises(ClassifierError, match=r"\[2\]"):
        gram(features)


def test_one_class_cannot_be_fitted():
    with pytest.raises(ClassifierError, match="one class"):
        fit_gram(np.eye(3), np.zeros(3, np.int64))


def test_a_fit_on_other_classes_than_named_is_refused():
    svm = fit_gram(np.eye(4), np.array([0, 0, 2, 2]))
    with pytest.raises(ClassifierError, match="classes"):
        primal(svm, np.eye(4, dtype=np.float32), ("a", "b", "c"))


@pytest.mark.parametrize(
    ("coef", "intercept"),
    [
        (np.zeros((2, 3), np.float32), np.zeros(2)),
        (np.zeros((1, 3), np.float32), np.zeros(2)),
        (np.zeros(3, np.float32), np.zeros(1)),
        (np.full((1, 3), np.inf, np.float32), np.zeros(1)),
        (np.zeros((1, 3), np.float32), np.array([np.nan])),
    ],
)
def test_a_model_of_the_wrong_shape_or_not_finite_is_refused(coef, intercept):
    with pytest.raises(ClassifierError):
        LinearModel(("a", "b"), coef, intercept)


@pytest.mark.parametrize("features", [np.zeros((2, 4)), np.zeros(3), np.full((1, 3), np.nan)])
def test_features_of_another_size_or_not_finite_are_refused(features):
    model = LinearModel(("a", "b"), np.ones((1, 3), np.float32), np.zeros(1))
    with pytest.raises(ClassifierError):
        model.decision(features)
