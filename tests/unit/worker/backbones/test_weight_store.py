from pathlib import Path

import pytest

from worker.backbones.names import BackboneError, WeightsMissing, WeightsUnfit
from worker.backbones.weight_store import WeightFileEntry, WeightsStore


def add(
    store: WeightsStore, path: Path, content: bytes, *, family: str = "vgg16", missing: list[str] | None = None
) -> WeightFileEntry:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return store.add(path, family, top=not missing, layers=3, missing=missing or [], usable_to="fc1")


@pytest.fixture
def store(tmp_path: Path) -> WeightsStore:
    return WeightsStore(tmp_path / "weights")


def test_an_empty_store_has_no_entries(store: WeightsStore) -> None:
    assert store.entries() == []
    assert store.for_family("vgg16", []) is None


def test_a_file_is_kept_under_its_digest(store: WeightsStore, tmp_path: Path) -> None:
    entry = add(store, tmp_path / "vgg16.h5", b"numbers")
    assert store.entries() == [entry]
    assert store.checked_path(entry) == store.folder / f"{entry.digest}.h5"
    assert store.checked_path(entry).read_bytes() == b"numbers"
    assert sorted(path.suffix for path in store.folder.iterdir()) == [".h5", ".json"]


def test_the_same_file_twice_is_one_entry(store: WeightsStore, tmp_path: Path) -> None:
    first = add(store, tmp_path / "a.h5", b"numbers")
    again = add(store, tmp_path / "b.h5", b"numbers")
    assert store.entries() == [again]
    assert again.imported_at == first.imported_at


def test_a_family_gets_the_file_imported_first_that_has_what_is_needed(store: WeightsStore, tmp_path: Path) -> None:
    add(store, tmp_path / "other.h5", b"0", family="vgg19")
    headless = add(store, tmp_path / "headless.h5", b"1", missing=["fc1", "fc2"])
    whole = add(store, tmp_path / "whole.h5", b"2")
    assert store.for_family("vgg16", ["block1_conv1"]) == headless
    assert store.for_family("vgg16", ["block1_conv1", "fc1"]) == whole
    assert store.for_family("resnet50", []) is None


def test_an_entry_is_named_by_digest_or_source(store: WeightsStore, tmp_path: Path) -> None:
    entry = add(store, tmp_path / "vgg16.h5", b"numbers")
    for name in (entry.digest, entry.digest[:6], entry.digest[:6].upper(), "vgg16.h5"):
        assert store.named(name) == entry
    with pytest.raises(WeightsMissing, match=r"weights import s3://b/vgg16\.h5"):
        store.named("s3://b/vgg16.h5")
    for name in (entry.digest[:5], "vgg19.h5", "../vgg16.h5", ""):
        with pytest.raises(WeightsMissing, match="weights list"):
            store.named(name)


def test_a_name_that_means_two_files_is_refused(store: WeightsStore, tmp_path: Path) -> None:
    add(store, tmp_path / "a" / "w.h5", b"1")
    add(store, tmp_path / "b" / "w.h5", b"2")
    with pytest.raises(BackboneError, match="several"):
        store.named("w.h5")


def test_a_changed_or_lost_file_is_refused(store: WeightsStore, tmp_path: Path) -> None:
    entry = add(store, tmp_path / "vgg16.h5", b"numbers")
    store.path(entry).write_bytes(b"Numbers")
    with pytest.raises(WeightsUnfit, match="changed"):
        store.checked_path(entry)
    store.path(entry).unlink()
    with pytest.raises(WeightsUnfit, match="gone"):
        store.checked_path(entry)


def test_importing_again_repairs_a_changed_file(store: WeightsStore, tmp_path: Path) -> None:
    entry = add(store, tmp_path / "vgg16.h5", b"numbers")
    store.path(entry).write_bytes(b"Numbers")
    again = add(store, tmp_path / "vgg16.h5", b"numbers")
    assert store.checked_path(again).read_bytes() == b"numbers"


def test_a_damaged_entry_is_named(store: WeightsStore, tmp_path: Path) -> None:
    entry = add(store, tmp_path / "vgg16.h5", b"numbers")
    (store.folder / f"{entry.digest}.json").write_text("{}")
    with pytest.raises(BackboneError, match="damaged"):
        store.entries()
