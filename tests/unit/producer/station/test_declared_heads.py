from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.contract.event import Region
from producer.station.declared_heads import DeclaredHeads, DeclaredPocket
from producer.station.file_writers import open_for_writing
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
    with capture_logs() as said:
        heads.look_again(10.0)
        heads.look_again(11.9)
        assert heads.pocket(place("H12", 1)).check_size == 2, "somebody may still write it"
        heads.look_again(12.0)
        assert heads.pocket(place("H12", 1)).check_size == 3
        file.write_text("[heads.H12]\npockets = ")
        for now in range(20, 30):
            heads.look_again(now)
        file.unlink()
        for now in range(30, 40):
            heads.look_again(now)
    assert heads.pocket(place("H12", 3)).check_size == 3
    assert [entry["log_level"] for entry in said] == ["warning", "error", "error"]
    assert "is no TOML" in said[1]["problem"]
    assert "there is no head register" in said[2]["problem"]


H12 = "[heads.H12]\npockets = 12\n"
H13 = "[heads.H13]\npockets = 4\n"
REGIONS = "regions = { 1 = { left = 1, top = 2, width = 30, height = 40 } }\n"


@pytest.mark.parametrize(
    ("half", "doubt"),
    [
        (f"{H12}{REGIONS}", "it has no head H13 any more"),
        (f"{H12}{REGIONS}{H13}"[: -len("\n")], "its last line has no end"),
        ("[heads.H12]\npockets = 1", "its last line has no end"),
        (f"{H12}{H13}", "it says less of head H12"),
        (f"{H12}{REGIONS}{H13}".replace("12\n", "1\n"), "it says less of head H12"),
    ],
)
def test_a_register_that_says_less_than_before_may_be_half_written_and_is_waited_for(
    tmp_path: Path, half: str, doubt: str
) -> None:
    """Until a minute is over: then somebody meant it."""
    file = tmp_path / "heads.toml"
    file.write_text(f"{H12}{REGIONS}{H13}")
    heads = DeclaredHeads(2, HeadRegister.load(file))
    whole = f"# a head more\n{H12}{REGIONS}{H13}[heads.H14]\npockets = 9\n"
    file.write_text(half)
    with capture_logs() as said:
        for now in range(100, 160):
            heads.look_again(now)
    assert [heads.pocket(place(head, 1)).check_size for head in ("H12", "H13")] == [12, 4]
    assert [(entry["log_level"], entry["problem"]) for entry in said] == [("warning", doubt)]
    before = HeadRegister.load(file).heads
    heads.look_again(160)
    assert heads.pocket(place("H12", 1)).check_size == before["H12"].pockets
    file.write_text(whole)
    for now in (200, 202):
        heads.look_again(now)
    assert [heads.pocket(place(head, 1)).check_size for head in ("H12", "H13", "H14")] == [12, 4, 9]


def test_a_register_that_a_program_writes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "heads.toml"
    file.write_text(H12)
    heads = DeclaredHeads(None, HeadRegister.load(file))
    with file.open("ab") as writing:
        with file.open("rb") as reading:
            if open_for_writing(reading.fileno()) is None:
                pytest.skip("nothing tells of writers here")
        writing.write(b"[heads.H13]\npockets = 1")
        writing.flush()
        with pytest.raises(ValueError, match="has this head register open for writing: try again when it is done"):
            HeadRegister.load(file)
        writing.write(b"2\n")
        writing.flush()
        for now in range(100):
            heads.look_again(now)
        with pytest.raises(ValueError, match="nobody says how many pockets head H13 has"):
            heads.pocket(place("H13", 12))
    heads.look_again(100)  # closed, and not changed any more
    assert heads.pocket(place("H13", 12)).check_size == 12
