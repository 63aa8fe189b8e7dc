from __future__ import annotations

from pathlib import Path

import pytest

from producer.station.head_register_file import nearest, read_heads

GOOD = '[heads."Fräse 3"]\r\npockets = 30\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_editors_of_windows_may_have_written_it(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "heads.toml").write_bytes(GOOD.encode(encoding))
    assert read_heads(tmp_path / "heads.toml")["Fräse 3"].pockets == 30


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[heads.H12]\npocket = 30", "head H12: unknown key pocket: is pockets meant?"),
        (
            "[heads.H12]\npockets = 30\nweight = 3",
            "unknown key weight: there are pockets, designation, layout, region, regions",
        ),
        ("[heads.H12]\npockets = 30\nregion.lef = 3", "head H12: region: unknown key lef: is left meant?"),
        ("[heads.H12]\npockets = 30\nregions.7.widht = 3", "head H12: regions.7: unknown key widht: is width meant?"),
        ("[head.H12]\npockets = 30", "unknown key head: is heads meant?"),
        ("[heads.H12]", "head H12: pockets is missing: add pockets = NUMBER"),
        ('[heads.H12]\npockets = "30"', "head H12: pockets: it must be a valid integer, not '30'"),
        ("[heads.H12]\npockets = true", "head H12: pockets: it must be a valid integer, not True"),
        ("[heads.H12]\npockets = 0", "pockets: it must be greater than or equal to 1, not 0"),
        ("[heads.H12]\npockets = 1000", "pockets: it must be less than or equal to 999, not 1000"),
        ('[heads.H12]\npockets = 3\ndesignation = "x"', "head H12: designation: an ISO 1832 designation is like SNMG"),
        ("[heads.H12]\npockets = 3\nregions.01 = {}", "head H12: regions.01: a pocket is a number from 1 to 999"),
        (
            "[heads.H12]\npockets = 3\nregions.2 = 7",
            "head H12: regions: 2 is no table: it needs left, top, width, height",
        ),
        ("[heads]\nH12 = 30", "H12 is no table: it needs pockets, designation, layout, region, regions in it"),
        ('[heads."a/b"]\npockets = 3', "head a/b: a name may have letters"),
        ("[heads.H 12]\npockets = 3", "(at line 1, column"),
        ("[heads.H12]\npockets = 3\n[heads.H12]\npockets = 4", "Cannot declare ('heads', 'H12') twice (at line 3"),
        ('[heads."e\u0301"]\npockets = 3\n[heads."\u00e9"]\npockets = 4', "a head is there twice"),
    ],
)
def test_what_is_wrong_is_said_with_its_file_its_head_and_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "heads.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"heads\.toml") as refused:
        read_heads(file)
    assert said in str(refused.value)
    assert "pydantic" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = " + "[" * 3000 + "]" * 3000, "is no head register: its lists or tables stand too deep in each other"),
        ("[heads.H1]\npockets = " + "9" * 5000, "is no TOML: a value in it cannot be read ("),
        ("[heads.H1]\npockets = " + "9" * 4000, "head H1: pockets: it must be"),
        ("[heads.H1]\npockets = " + "[" * 200 + "]" * 200, "head H1: pockets: it must be a valid integer, not [[["),
        ("[heads.H1]\npockets = 3\nday = 2026-02-30", "no TOML"),
        (f"[heads.{'.'.join(['a'] * 3000)}]\npockets = 3", "head a: "),
    ],
    ids=["deep", "long", "shorter", "less deep", "no day", "deep table"],
)
def test_what_python_cannot_hold_is_said_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "heads.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"heads\.toml") as refused:
        read_heads(file)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 500


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "heads.toml"
    file.write_text("[heads.H1]\npockets = 0\n[heads.H2]\npocket = 3\npockets = 3", encoding="utf-8")
    with pytest.raises(ValueError, match=r"(?s)head H1: pockets.*head H2: unknown key pocket"):
        read_heads(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no head register .*nowhere\.toml"):
        read_heads(tmp_path / "nowhere.toml")
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        read_heads(tmp_path)
    (tmp_path / "wide.toml").write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(ValueError, match=r"wide\.toml is not UTF-8"):
        read_heads(tmp_path / "wide.toml")


@pytest.mark.parametrize(("word", "meant"), [("H21", "H12"), ("fraese", None), ("H12 ", "H12")])
def test_the_nearest_known_word_is_found(word: str, meant: str | None) -> None:
    assert nearest(word, ["H12", "K7"]) == meant
