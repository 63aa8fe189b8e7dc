from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.learning_scores import consecutive, imported
from worker.learning.folder_import import LabelledPhoto, photographs


def photo(name: str, label: str) -> LabelledPhoto:
    return LabelledPhoto(Path("set") / label / name, label, None)


def test_consecutive_numbers_of_one_class_are_one_insert():
    photos = [
        *(photo(f"{number}.JPG", "worn") for number in (10, 9, 13, 12, 15)),
        *(photo(f"{number}.JPG", "intact") for number in (11, 14)),
        photo("image16a.JPG", "worn"),
        photo("image17a.JPG", "worn"),
    ]
    found = {each.path.name: each.group for each in consecutive(photos)}
    assert len(found) == len(photos)
    assert found["9.JPG"] == found["10.JPG"]
    assert found["12.JPG"] == found["13.JPG"] != found["10.JPG"]
    assert len(set(found.values())) == 7


def test_a_folder_becomes_a_labelled_set_of_as_many_inserts(tmp_path):
    rng = np.random.default_rng(0)
    for name, label in (("1", "worn"), ("2", "worn"), ("3", "intact"), ("4", "intact"), ("7", "intact")):
        file = tmp_path / "set" / label / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8)).save(file)
    items = imported(consecutive(photographs(tmp_path / "set").photos), "set", tmp_path / "data")
    assert sorted(item.label for item in items) == ["intact"] * 3 + ["worn"] * 2
    assert len({item.insert_key for item in items}) == 3
