from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from producer.station.place import Place, place_of, same_place


def test_paths_say_what_a_photograph_shows() -> None:
    assert place_of(Path("mill-1/H1/op-7/12.jpg")) == Place("mill-1", "H1", "op-7", 12)
    for wrong in ("12.jpg", "mill-1/H1/op-7/left.jpg", "mill-1/H1/op-7/extra/12.jpg"):
        with pytest.raises(ValueError, match="<machine>"):
            place_of(Path(wrong))


def test_names_are_in_normal_form_c() -> None:
    apart = Path(unicodedata.normalize("NFD", "Fräse/Kopf ü/é/3.jpg"))
    assert place_of(apart) == Place("Fräse", "Kopf ü", "é", 3)


def test_files_of_one_place_are_found_whatever_they_are_called() -> None:
    folder = Path("/camera")
    twins = [folder / "m/H1/op/1.jpg", folder / "m/H1/op/01.png"]
    others = [folder / "m/H1/op/2.jpg", folder / "m/H2/op/1.jpg", folder / "m/H1/op/left.jpg"]
    assert same_place([*twins, *others], folder) == {twins[0]: ["01.png"], twins[1]: ["1.jpg"]}
