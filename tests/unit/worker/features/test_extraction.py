from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from producer.contract.event import new_id
from producer.storage.folder import FolderStore
from tests.support import photograph
from worker.features.catalogue import begin
from worker.features.extraction import extract_chunk, key_of, missing
from worker.features.store import FeatureStore
from worker.images.decoding import decode


class Quadrants:
    """The mean of each quadrant of each colour: twelve features; counts the images it was given."""

    name = "quadrants:mean"
    fingerprint = "c" * 64
    feature_size = 12
    input_size = (16, 16)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def features_of(self, images: Any) -> Any:
        n = len(images)
        self.batches.append(n)
        pixels = np.stack(images).astype(np.float32) / 255
        return pixels.reshape(n, 2, 8, 2, 8, 3).mean(axis=(2, 4)).reshape(n, 12)


@dataclass(frozen=True)
class Item:
    capture_id: UUID
    image: str
    image_sha256: str
    region: dict[str, int] | None = None


@pytest.fixture
def images(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "images")


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return begun(tmp_path)


def begun(tmp_path: Path) -> FeatureStore:
    return begin(tmp_path / "features", fingerprint=Quadrants.fingerprint, backbone="quadrants:mean", feature_size=12)


def item(images: FolderStore, seed: int, **changes: Any) -> Item:
    data = photograph(seed=seed)
    key = f"a/{seed}.jpg"
    images.put(key, data)
    return Item(**{"capture_id": new_id(), "image": key, "image_sha256": hashlib.sha256(data).hexdigest(), **changes})


def test_features_are_those_of_the_line_for_every_image(
    tmp_path: Path, images: FolderStore, store: FeatureStore
) -> None:
    box = {"left": 3, "top": 5, "width": 50, "height": 40}
    items = [item(images, seed) for seed in range(7)] + [item(images, 3, region=box)]
    network = Quadrants()
    done = extract_chunk(items, images, network, store, batch=3)
    assert (done.written, done.unusable) == (8, ())
    assert network.batches == [3, 3, 2]
    view = begun(tmp_path).view([key_of(each) for each in items])
    for row, each in enumerate(items):
        region = (3, 5, 50, 40) if each.region else None
        pixels = decode((images.root / each.image).read_bytes(), (16, 16), region)
        np.testing.assert_array_equal(view[[row]], network.features_of([pixels]))


def test_only_what_is_missing_is_extracted_and_each_sight_once(
    tmp_path: Path, images: FolderStore, store: FeatureStore
) -> None:
    first = [item(images, seed) for seed in range(4)]
    again = replace(first[1], capture_id=new_id())  # the same photograph, captured under another id
    assert missing([*first, again], store) == first
    extract_chunk(first[:2], images, Quadrants(), store)
    assert missing([*first, again], begun(tmp_path)) == first[2:]
    network = Quadrants()
    assert extract_chunk([*first, again], images, network, begun(tmp_path)).written == 2
    assert network.batches == [2]
    network = Quadrants()
    assert extract_chunk(first, images, network, store).written == 0
    assert network.batches == []


def test_images_that_cannot_be_used_cost_only_themselves(images: FolderStore, store: FeatureStore) -> None:
    good = [item(images, seed) for seed in range(3)]
    images.put("a/garbage.jpg", b"garbage")
    gone = Item(new_id(), "a/gone.jpg", "0" * 64)
    other = replace(good[0], capture_id=new_id(), image_sha256="1" * 64)
    garbage = Item(new_id(), "a/garbage.jpg", hashlib.sha256(b"garbage").hexdigest())
    outside = replace(good[1], capture_id=new_id(), region={"left": 60, "top": 0, "width": 30, "height": 9})
    unsafe = Item(new_id(), "../secret", "2" * 64)
    done = extract_chunk([gone, good[0], other, garbage, good[1], outside, unsafe, good[2]], images, Quadrants(), store)
    assert done.written == 3
    reasons = dict(done.unusable)
    assert set(reasons) == {each.capture_id for each in (gone, other, garbage, outside, unsafe)}
    assert "no image under" in reasons[gone.capture_id]
    assert "not the one that was captured" in reasons[other.capture_id]
    assert "no image that can be read" in reasons[garbage.capture_id]
    assert "not inside the image" in reasons[outside.capture_id]
    assert "relative" in reasons[unsafe.capture_id]


def test_features_that_are_not_finite_are_not_stored(images: FolderStore, store: FeatureStore) -> None:
    class Overflowing(Quadrants):
        def features_of(self, images: Any) -> Any:
            found = super().features_of(images)
            found[1] = np.inf
            return found

    items = [item(images, seed) for seed in range(3)]
    done = extract_chunk(items, images, Overflowing(), store)
    assert (done.written, [each for each, _ in done.unusable]) == (2, [items[1].capture_id])
    assert missing(items, store) == [items[1]]


def test_wide_features_are_stored_as_they_come_not_all_at_the_end(
    images: FolderStore, store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.features.extraction.SHARD_BYTES", 2 * 2 * 4 * 12)

    class Dying(Quadrants):
        def features_of(self, images: Any) -> Any:
            if len(self.batches) == 4:
                raise RuntimeError("out of memory")
            return super().features_of(images)

    items = [item(images, seed) for seed in range(12)]
    with pytest.raises(RuntimeError, match="out of memory"):
        extract_chunk(items, images, Dying(), store, batch=2)
    assert missing(items, store) == items[8:]


def test_another_backbone_is_refused(images: FolderStore, store: FeatureStore) -> None:
    network = Quadrants()
    network.fingerprint = "d" * 64
    with pytest.raises(ValueError, match="quadrants:mean"):
        extract_chunk([], images, network, store)
