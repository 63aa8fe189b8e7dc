import json

import numpy as np
import pytest

from benchmarks import run, svm_gram
from benchmarks.measure import Benchmark


def fake(name, values, target, at_least=True):
    return Benchmark(name, "what is measured", "times", target, at_least, lambda samples: values[:samples], samples=3)


def test_figures_are_kept_beside_those_of_earlier_runs(tmp_path, monkeypatch, capsys):
    fakes = {each.name: each for each in (fake("a", [3.0, 1.0, 2.0], 2), fake("b", [5.0, 4.0, 6.0], 4, False))}
    monkeypatch.setattr(run, "BENCHMARKS", fakes)
    results = tmp_path / "var" / "bench.json"
    assert run.main(["a", "--results", str(results)]) == 0
    assert run.main(["b", "--results", str(results)]) == 1
    known = json.loads(results.read_text())
    assert known == {
        "a": {"value": 2.0, "low": 1.0, "high": 3.0, "target": 2, "at_least": True, "unit": "times"},
        "b": {"value": 5.0, "low": 4.0, "high": 6.0, "target": 4, "at_least": False, "unit": "times"},
    }
    printed = capsys.readouterr().out
    assert "a: 2 times (1 … 3), target ≥ 2: met" in printed
    assert "b: 5 times (4 … 6), target ≤ 4: MISSED" in printed


def test_an_unknown_name_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        run.main(["nothing"])
    assert "gram_against_svc" in capsys.readouterr().err


def test_the_gram_benchmark_on_a_small_set_finds_identical_predictions():
    features, labels = svm_gram.made_up(images=48, size=4000)
    assert features.dtype == np.float32
    assert np.bincount(labels).tolist() == [36, 12]
    assert all(ratio > 0 for ratio in svm_gram.ratios(features, labels, samples=2))


def test_the_gram_benchmark_fails_when_predictions_differ(monkeypatch):
    features, labels = svm_gram.made_up(images=48, size=400)
    monkeypatch.setattr(svm_gram, "gram", lambda features: np.eye(len(features)))
    with pytest.raises(AssertionError, match="predict differently"):
        svm_gram.ratios(features, labels, samples=1)
