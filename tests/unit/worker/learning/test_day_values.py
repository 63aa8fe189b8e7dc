"""A day's values: how they are kept, and by which aspects a day differs from a station's reference days."""

import io
import pickle

import numpy as np
import pytest

from worker.learning.day_values import COLUMNS, FEWEST, FEWEST_DAYS, DayValues, differences, folded


def day(seed, count=30, *, light=1.0, turned=0.0, model="m-1", fingerprint="f", brightness=100.0):
    rng = np.random.default_rng(seed)
    features = rng.normal(1, 0.3, (count, 40)).astype(np.float32)
    features[:, :10] += turned
    measured = {
        "brightness": light * rng.normal(brightness, 5, count),
        "sharpness": rng.normal(50, 5, count),
        "score": rng.normal(0, 1, count),
    }
    return DayValues.of(
        [number % 15 for number in range(count)], measured, features, fingerprint=fingerprint, model_id=model
    )


REFERENCE = [day(seed) for seed in range(FEWEST_DAYS)]


def drifted(aspects):
    return [name for name, aspect in aspects.items() if aspect["drifted"]]


def test_a_quiet_day_does_not_drift() -> None:
    aspects, order = differences(day(100), REFERENCE)
    assert list(aspects) == ["features", "score", "brightness", "sharpness"]
    assert (drifted(aspects), order) == ([], [])
    assert aspects["features"]["median"] is None
    assert aspects["brightness"]["usual_median"] == pytest.approx(100, abs=2)


@pytest.mark.parametrize(("change", "expected"), [({"light": 0.85}, ["brightness"]), ({"turned": 0.4}, ["features"])])
def test_what_has_changed_drifts_and_nothing_else(change, expected) -> None:
    aspects, order = differences(day(100, **change), REFERENCE)
    assert drifted(aspects) == expected
    assert sorted(order) == list(range(30))


def test_the_farthest_photographs_come_first() -> None:
    changed = day(100, light=0.85)
    changed.rows["brightness"][[4, 17]] = 20, 10
    _, order = differences(changed, REFERENCE)
    assert order[:2] == [17, 4]


def test_only_what_means_the_same_is_compared() -> None:
    aspects, _ = differences(day(100, model="m-2", fingerprint="other"), REFERENCE)
    assert list(aspects) == ["brightness", "sharpness"]
    assert differences(day(100), REFERENCE[1:]) == ({}, [])
    assert differences(day(100, FEWEST - 1), REFERENCE) == ({}, [])
    unknown = day(100)
    unknown.rows["features"][FEWEST - 1 :] = np.nan
    unknown.rows["score"][:5] = np.nan
    aspects, _ = differences(unknown, REFERENCE)
    assert list(aspects) == ["score", "brightness", "sharpness"]


def test_values_are_kept_and_read_again_and_nothing_else_is() -> None:
    values = day(1)
    again = DayValues.from_bytes(values.to_bytes(), "f", "m-1")
    np.testing.assert_array_equal(again.rows, values.rows)
    file = io.BytesIO()
    np.save(file, np.ones(3))
    with pytest.raises(ValueError, match="a day's values are"):
        DayValues.from_bytes(file.getvalue(), None, None)
    with pytest.raises(ValueError, match="pickle"):
        DayValues.from_bytes(pickle.dumps(values.rows), None, None)


@pytest.mark.parametrize("width", [40, 944])
def test_folded_features_keep_their_distances(width) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20, width)).astype(np.float32)
    short = folded(features)
    assert short.shape == (20, COLUMNS)
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    for one, other in ((0, 1), (2, 3), (4, 5)):
        distance = np.linalg.norm(directions[one] - directions[other])
        assert np.linalg.norm(short[one] - short[other]) == pytest.approx(distance, rel=0.25)
    assert folded(np.zeros((1, width), np.float32)).any() == 0
