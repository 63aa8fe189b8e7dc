from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.contract.event import Region
from producer.station.declared_heads import DeclaredHeads, DeclaredPocket
from producer.station.head_register import Head, HeadRegister
from producer.station.place import Place

BOX = Region(left=1, top=2, width=30, height=40)
REGISTER = HeadRegister(Path("heads.toml"), {"H12": Head("H12", 4, "SEKT 1204 AFTN", {3: BOX})})


def place(head: str, pocket: int) -> Place:
    return Place("mill-1", head, "op-7", pocket)


def test_the_register_says_what_a_pocket_is() -> None:
    heads = DeclaredHeads(30, REGISTER)
    assert heads.pocket(place("H12", 3)) == DeclaredPocket(4, "SEKT 1204 AFTN", BOX)
    assert heads.pocket(place("H12", 4)) == DeclaredPocket(4, "SEKT 1204 AFTN")


@pytest.mark.parametrize(
    ("size", "register", "head", "said"),
    [
        (30, REGISTER, "H12", r"there is no pocket 5: head H12 has 4 \(the head register says so\)"),
        (4, REGISTER, "H99", r"there is no pocket 5: head H99 has 4 \(--check-size says so\)"),
        (4, None, "H12", r"there is no pocket 5: head H12 has 4 \(--check-size says so\)"),
        (None, REGISTER, "H21", "nobody says how many pockets head H21 has: is H12 meant"),
        (6, REGISTER, "h12", "head h12 is not in heads.toml, but H12 is: write it as it is there, or enter h12 too"),
        (
            None,
            REGISTER,
            "drum",
            "nobody says how many pockets head drum has: enter it in heads.toml, or give --check",
        ),
    ],
)
def test_a_pocket_that_nobody_declares_is_refused(
    size: int | None, register: HeadRegister | None, head: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        DeclaredHeads(size, register).pocket(place(head, 5))


def test_somebody_must_say_how_many_pockets_a_head_has() -> None:
    with pytest.raises(ValueError, match="how many pockets has a head"):
        DeclaredHeads(None)


def test_a_head_that_only_the_size_speaks_for_is_said_once_where_there_is_a_register() -> None:
    heads = DeclaredHeads(6, REGISTER)
    with capture_logs() as said:
        assert [heads.pocket(place("H21", pocket)) for pocket in (1, 6)] == [DeclaredPocket(6)] * 2
    assert [(entry["head"], entry["meant"], entry["pockets"]) for entry in said] == [("H21", "H12", 6)]
    with capture_logs() as said:
        DeclaredHeads(6).pocket(place("H21", 1))
    assert said == []


def test_a_register_that_is_changed_counts_as_it_is_once_it_is_still(tmp_path: Path) -> None:
    """A head that gets a pocket more while a station watches must not be a go without that pocket."""
    file = tmp_path / "heads.toml"
    file.write_text("[heads.H12]\npockets = 2\n")
    heads = DeclaredHeads(None, HeadRegister.load(file))
    file.write_text("[heads.H12]\npockets = 3 # and more\n")
    heads.look_again(10.0)
    assert heads.pocket(place("H12", 1)).check_size == 2, "somebody may still write it"
    heads.look_again(12.0)
    assert heads.pocket(place("H12", 3)).check_size == 3
