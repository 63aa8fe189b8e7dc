import h5py
import numpy as np
import pytest
from sklearn.svm import SVC

from worker.models import primal_newton
from worker.models import solver as module
from worker.models.linear_svm import ClassifierError
from worker.models.solver import GramSolver, PrimalSolver, narrowed, solver_for


def overlapping(rows, columns, distance, seed=0, unit=1.0):
    rng = np.random.default_rng(seed)
    labels = (np.arange(rows) % 3 == 0).astype(np.int64)
    spread = np.exp(0.7 * rng.standard_normal(columns))
    features = rng.standard_normal((rows, columns)) * spread + 0.5
    features += distance / np.sqrt(columns) * labels[:, None] * rng.standard_normal(columns)
    return (np.maximum(features, 0) * unit).astype(np.float32), labels


@pytest.mark.parametrize(
    ("rows", "columns", "unit", "strength"),
    [(300, 60, 1.0, 1.0), (300, 60, 1.0, 10.0), (200, 150, 50.0, 1.0), (90, 120, 1e-2, 1.0)],
)
def test_both_solvers_agree_where_both_can_be_used(rows, columns, unit, strength, monkeypatch):
    monkeypatch.setattr(primal_newton, "_BLOCK_BYTES", 4 * columns * 37)  # many blocks
    features, labels = overlapping(rows, columns, 3.0, unit=unit)
    train = np.random.default_rng(1).permutation(rows)[: rows * 2 // 3]
    by_gram, by_rows = GramSolver(features), PrimalSolver(features)
    constant = strength / by_gram.spread(train)
    assert by_rows.spread(train) == pytest.approx(by_gram.spread(train), rel=1e-4)
    for scale in (None, 1 / by_gram.moments(train).deviation):
        if scale is not None:
            constant = strength / columns
        expected = by_gram.decide(train, labels[train], constant, scale)
        found = by_rows.decide(train, labels[train], constant, scale)
        sure = np.abs(expected) > 0.1
        assert sure.mean() > 0.8
        assert ((expected > 0) == (found > 0))[sure].all()
        np.testing.assert_allclose(found, expected, atol=0.1)
        plane, other = (each.plane(train, labels[train], constant, scale) for each in (by_gram, by_rows))
        np.testing.assert_allclose(features @ plane.coef + plane.intercept, expected, atol=5e-3)
        np.testing.assert_allclose(features @ other.coef + other.intercept, found, atol=5e-3)


def test_the_primal_optimum_is_libsvms():
    features, labels = overlapping(400, 50, 3.0)
    weights = 400 / (2 * np.bincount(labels))
    plane = primal_newton.solve(features, np.arange(400), 2.0 * labels - 1, 0.05 * weights[labels], gap=1e-4)
    svc = SVC(kernel="linear", C=0.05, class_weight="balanced", tol=1e-6).fit(features, labels)

    def objective(coef, decisions):
        short = np.maximum(0, 1 - (2 * labels - 1) * decisions)
        return coef @ coef / 2 + 0.05 * (weights[labels] * short).sum()

    best = objective(svc.coef_[0], svc.decision_function(features))
    assert objective(plane.coef, features @ plane.coef + plane.intercept) == pytest.approx(best, rel=2e-4)
    assert np.abs(plane.coef - svc.coef_[0]).max() < 0.02 * np.abs(svc.coef_).max()


def test_a_scaled_fit_is_svcs_on_the_scaled_features():
    features, labels = overlapping(90, 30, 3.0)
    by_gram = GramSolver(features)
    scale = 1 / by_gram.moments(np.arange(90)).deviation
    expected = SVC(kernel="linear", C=0.1, class_weight="balanced").fit(features * scale, labels)
    np.testing.assert_allclose(
        by_gram.decide(np.arange(90), labels, 0.1, scale), expected.decision_function(features * scale), atol=2e-3
    )


def test_moments_of_some_rows_of_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(primal_newton, "_BLOCK_BYTES", 4 * 20 * 7)
    features = (np.random.default_rng(0).normal(size=(50, 20)) * 0.01 + 100).astype(np.float32)
    rows = np.arange(3, 41, 2)
    with h5py.File(tmp_path / "f.h5", "w") as file:
        found = primal_newton.moments(file.create_dataset("dataset_1", data=features), rows)
    np.testing.assert_allclose(found.mean, features[rows].astype(np.float64).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.deviation, features[rows].astype(np.float64).std(axis=0), rtol=1e-3)


class Shape:
    def __init__(self, *shape):
        self.shape = shape


def test_the_shape_chooses_the_solver(monkeypatch):
    monkeypatch.setattr(module, "gram", lambda _: np.zeros((1, 1)))
    assert isinstance(solver_for(Shape(5_000, 401_408)), GramSolver)
    assert isinstance(solver_for(Shape(300, 192)), GramSolver)
    assert isinstance(solver_for(Shape(100_000, 4_096)), PrimalSolver)
    assert isinstance(solver_for(Shape(10_000, 25_088)), GramSolver)
    with pytest.raises(ClassifierError, match=r"\+gap"):
        solver_for(Shape(100_000, 401_408))


def test_trials_on_a_few_rows_use_just_those(monkeypatch):
    monkeypatch.setattr(primal_newton, "_BLOCK_BYTES", 4 * 20 * 7)
    features, _ = overlapping(60, 20, 3.0)
    rows = np.array([40, 3, 17, 59, 0])
    trials, places = narrowed(PrimalSolver(features), features, rows)
    assert trials.shape == (5, 20)
    assert places.tolist() == [0, 1, 2, 3, 4]
    assert trials.spread(places) == pytest.approx(GramSolver(features).spread(rows), rel=1e-5)


@pytest.mark.parametrize("kind", [GramSolver, PrimalSolver])
def test_one_side_alone_is_refused(kind):
    with pytest.raises(ClassifierError, match="one class"):
        kind(np.eye(4, dtype=np.float32)).plane(np.arange(4), np.ones(4, np.int64), 1.0, None)


@pytest.mark.parametrize("kind", [GramSolver, PrimalSolver])
def test_features_that_are_not_finite_are_refused(kind):
    features, labels = overlapping(40, 5, 3.0)
    features[7, 2] = np.nan
    with pytest.raises(ClassifierError, match="finite"):
        kind(features).plane(np.arange(40), labels, 1.0, None)


def test_a_fit_that_does_not_come_to_an_end_says_how_far_it_came(monkeypatch):
    monkeypatch.setattr(primal_newton, "MOST_STEPS", 2)
    features, labels = overlapping(100, 20, 3.0)
    with pytest.raises(primal_newton.NotSolved, match="after 2 steps"):
        PrimalSolver(features).plane(np.arange(100), labels, 1.0, None)
