import numpy as np
import pytest

from worker.features import catalogue
from worker.features.catalogue import begin
from worker.features.store import FeatureStoreError

FINGERPRINT = "f" * 64
WIDTH = 7


def begun(root, size=WIDTH):
    return begin(root, fingerprint=FINGERPRINT, backbone="fake:layer", feature_size=size)


def test_stores_lie_side_by_side_until_one_is_removed(tmp_path):
    assert catalogue.all_stores(tmp_path) == []
    old = begun(tmp_path)
    assert old.add(["1" * 64], np.ones((1, WIDTH), np.float32)) == 1
    new = begin(tmp_path, fingerprint="0" * 64, backbone="other:layer", feature_size=3)
    assert [(store.fingerprint, store.backbone) for store in catalogue.all_stores(tmp_path)] == [
        ("0" * 64, "other:layer"),
        (FINGERPRINT, "fake:layer"),
    ]
    assert new.known() == set()
    found = catalogue.find(tmp_path, FINGERPRINT)
    assert (found.feature_size, found.known()) == (WIDTH, old.known())
    assert catalogue.remove(tmp_path, FINGERPRINT)
    assert not catalogue.remove(tmp_path, FINGERPRINT)
    assert catalogue.find(tmp_path, FINGERPRINT) is None
    assert [path.name for path in tmp_path.iterdir()] == ["0" * 64]


def test_a_store_is_not_taken_for_another_and_a_path_is_no_fingerprint(tmp_path):
    begun(tmp_path)
    with pytest.raises(FeatureStoreError, match="has 7 features"):
        begun(tmp_path, size=8)
    for harmful in ("..", "../x", "F" * 64, ""):
        with pytest.raises(FeatureStoreError, match="fingerprint"):
            catalogue.remove(tmp_path, harmful)
    (tmp_path / FINGERPRINT / "generation.json").write_text("{")
    with pytest.raises(FeatureStoreError, match="damaged"):
        begun(tmp_path)
