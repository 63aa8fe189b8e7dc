from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from producer.contract.event import Region
from producer.settings import StationSettings
from producer.station.head_register import Head, HeadRegister
from producer.station.head_register_file import EXAMPLE

BOX = "{ left = 1, top = 2, width = 3, height = 4 }"


def register(folder: Path, text: str) -> HeadRegister:
    (folder / "heads.toml").write_text(text, encoding="utf-8")
    return HeadRegister.load(folder / "heads.toml")


def test_a_register_says_how_many_pockets_a_head_has(tmp_path: Path) -> None:
    heads = register(
        tmp_path, '[heads.H12]\npockets = 30\ndesignation = "SEKT 1204 AFTN"\n[heads."Fräse 3"]\npockets = 4'
    )
    assert heads.get("H12") == Head("H12", 30, "SEKT 1204 AFTN", {})
    assert heads.get(unicodedata.normalize("NFD", "Fräse 3")) == Head("Fräse 3", 4, None, {})
    assert heads.get("h12") is None
    assert list(heads.warnings()) == []


def test_a_pockets_own_region_stands_instead_of_that_of_all(tmp_path: Path) -> None:
    head = register(tmp_path, f"[heads.H]\npockets = 3\nregion = {BOX}\nregions.2 = {BOX.replace('1', '9')}").get("H")
    assert head is not None
    assert {pocket: region.left for pocket, region in head.regions.items()} == {1: 1, 2: 9, 3: 1}
    assert head.regions[1] == Region(left=1, top=2, width=3, height=4)


def test_the_example_can_be_used_as_it_is(tmp_path: Path) -> None:
    heads = register(tmp_path, EXAMPLE)
    assert [head.pockets for head in heads.heads.values()] == [30, 12]
    assert list(heads.warnings()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no head in it"),
        ("[heads.H7]\npockets = 3\n[heads.h7]\npockets = 3", "heads H7 and h7 read alike"),
        ('[heads.H7]\npockets = 3\n[heads."\uff287"]\npockets = 3', "heads H7 and \uff287 read alike"),
        (f"[heads.H]\npockets = 3\nregions.1 = {BOX}", "head H: regions for 1 of its 3 pockets"),
    ],
    ids=["empty", "capitals", "wide letters", "some pockets only"],
)
def test_what_is_probably_not_meant_is_warned_about(tmp_path: Path, text: str, said: str) -> None:
    (warning,) = register(tmp_path, text).warnings()
    assert said in warning


def test_a_region_of_a_pocket_that_the_head_lacks_says_that_its_size_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"heads\.toml: head H: a region for pocket 4, but it has 3$"):
        register(tmp_path, f"[heads.H]\npockets = 3\nregion = {BOX}\nregions.4 = {BOX}")


def test_the_settings_name_the_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert StationSettings().head_register() is None
    register(tmp_path, "[heads.H12]\npockets = 30")
    monkeypatch.setitem(os.environ, "INSERTS_HEADS", str(tmp_path / "heads.toml"))
    heads = StationSettings().head_register()
    assert heads is not None
    assert heads.get("H12") == Head("H12", 30, None, {})
