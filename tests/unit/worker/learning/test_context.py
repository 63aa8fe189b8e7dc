"""What learning's jobs have in common: the labelled set as rows."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from db.learning.reviews import Labelled
from worker.features.extraction import SHARD_BYTES, key_of
from worker.learning.context import labelled_set, trainable
from worker.learning.extract import MOST_IN_A_CHUNK, chunks

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def labelled(image: str, label: str, life: str, review_id: int, region: dict[str, int] | None = None) -> Labelled:
    return Labelled(uuid4(), f"{image}.jpg", image * 64, region, label, life, "m", "s", NOON, review_id)


def test_unusable_images_are_not_learned_from() -> None:
    items = [labelled("a", label, "l", 1) for label in ("intact", "worn", "broken", "damaged", "unusable")]
    assert [item.label for item in trainable(items)] == ["intact", "worn", "broken", "damaged"]


def test_rows_are_sights_and_the_newest_review_of_a_sight_counts() -> None:
    box = {"left": 0, "top": 0, "width": 9, "height": 9}
    items = [
        labelled("a", "worn", "one", 5),
        labelled("a", "intact", "two", 2),
        labelled("a", "intact", "two", 3, box),
        labelled("b", "broken", "one", 4),
    ]
    found = labelled_set(items, lambda keys: sorted(keys, reverse=True))
    assert list(found.keys) == sorted({key_of(item) for item in items}, reverse=True)
    assert len(found.items) == 3
    sides = {key_of(item): side for item, side in zip(found.items, found.sides.tolist(), strict=True)}
    assert sides == {key_of(items[0]): 1, key_of(items[2]): 0, key_of(items[3]): 1}
    assert [key_of(item) for item in found.items] == list(found.keys)
    same_life = {
        life for item, life in zip(found.items, found.groups.tolist(), strict=True) if item.insert_key == "one"
    }
    assert len(same_life) == 1
    assert (found.inserts(0), found.inserts(1)) == (1, 1)


def test_no_labels_are_no_rows() -> None:
    found = labelled_set([])
    assert (len(found.items), found.sides.shape, found.groups.shape, found.inserts(1)) == (0, (0,), (0,), 0)


def test_a_chunk_is_about_a_shard_and_what_is_left_falls_into_the_same_chunks() -> None:
    items = [labelled("a", "intact", "l", number) for number in range(600)]
    few = chunks(items, 256)
    assert [len(chunk) for chunk in few] == [MOST_IN_A_CHUNK, MOST_IN_A_CHUNK, 600 - 2 * MOST_IN_A_CHUNK]
    assert chunks([*few[1], *few[2]], 256) == few[1:]
    wide = chunks(items, 401_408)
    assert len(wide[0]) == 32
    assert len(chunks(items, 32_768)[0]) * 32_768 * 4 == SHARD_BYTES
