from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.station.file_writers import open_for_writing
from producer.station.followed_register import FollowedRegister
from producer.station.head_register import HeadRegister


def pockets(followed: FollowedRegister) -> dict[str, int]:
    return {name: head.pockets for name, head in followed.register.heads.items()}


def test_a_register_that_is_changed_counts_as_it_is_once_it_is_still(tmp_path: Path) -> None:
    file = tmp_path / "heads.toml"
    file.write_text("[heads.H12]\npockets = 2\n")
    heads = FollowedRegister(HeadRegister.load(file))
    file.write_text("[heads.H12]\npockets = 3 # and more\n")
    with capture_logs() as said:
        assert [heads.look_again(10.0), heads.look_again(11.9)] == [False, False]
        assert pockets(heads) == {"H12": 2}, "somebody may still write it"
        assert heads.look_again(12.0)
        assert pockets(heads) == {"H12": 3}
        file.write_text("[heads.H12]\npockets = ")
        assert not any(heads.look_again(now) for now in range(20, 30))
        file.unlink()
        assert not any(heads.look_again(now) for now in range(30, 40))
    assert pockets(heads) == {"H12": 3}
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
    heads = FollowedRegister(HeadRegister.load(file))
    whole = f"# a head more\n{H12}{REGIONS}{H13}[heads.H14]\npockets = 9\n"
    file.write_text(half)
    with capture_logs() as said:
        for now in range(100, 160):
            heads.look_again(now)
    assert pockets(heads) == {"H12": 12, "H13": 4}
    assert [(entry["log_level"], entry["problem"]) for entry in said] == [("warning", doubt)]
    heads.look_again(160)
    assert heads.register.heads == HeadRegister.load(file).heads
    file.write_text(whole)
    for now in (200, 202):
        heads.look_again(now)
    assert pockets(heads) == {"H12": 12, "H13": 4, "H14": 9}


def test_a_register_that_a_program_writes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "heads.toml"
    file.write_text(H12)
    heads = FollowedRegister(HeadRegister.load(file))
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
        assert not any(heads.look_again(now) for now in range(100))
    assert heads.look_again(100), "closed, and not changed any more"
    assert pockets(heads) == {"H12": 12, "H13": 12}
