from __future__ import annotations

import pytest

from producer.pictures.file_names import SIDECARS, UNFINISHED, UNREADABLE, ending_of, is_picture, pocket_of
from producer.pictures.image_formats import READABLE


@pytest.mark.parametrize(
    ("name", "pocket"),
    [("7.jpg", 7), ("007.PNG", 7), ("999.tif", 999), ("12", 12), ("0.jpg", None), ("1000.jpg", None), ("000.jpg", None)]
    + [(name, None) for name in ("IMG_1.jpg", "1 (2).jpg", "-1.jpg", "1.5.jpg", "１.jpg", "²", "٣.jpg", ".jpg")],
)
def test_a_pocket_is_a_whole_number_from_1_to_999(name: str, pocket: int | None) -> None:
    assert pocket_of(name) == pocket


def test_pictures_are_told_from_what_stands_beside_them() -> None:
    for name in ("1.JPG", "1.heic", "x.Cr2", "2.jpeg ", "a.b.WebP"):
        assert is_picture(name), name
    for name in ("1.txt", "1", "1.jpg.part", "Thumbs.db", "jpg", "1.jpg.json"):
        assert not is_picture(name), name
    assert ending_of("1.jpg.Part") == ".part"


def test_an_ending_means_one_thing() -> None:
    kinds = [READABLE, UNREADABLE, SIDECARS, UNFINISHED]
    assert len(frozenset().union(*kinds)) == sum(map(len, kinds))
    assert all(ending == ending.lower() and ending.startswith(".") for kind in kinds for ending in kind)
