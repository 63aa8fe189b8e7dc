from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from producer.station.file_state import Look, Stillness, has_holes, open_for_writing


def look(path: Path) -> Look:
    return Look.at(path.stat())


def test_stillness_is_counted_from_the_first_look_that_shows_the_same() -> None:
    stillness = Stillness()
    path, first, second = Path("a"), Look(1, 1, 1, 1), Look(2, 1, 1, 1)
    assert [stillness.seconds(path, first, now) for now in (10.0, 11.0, 15.0)] == [0.0, 1.0, 5.0]
    assert [stillness.seconds(path, second, now) for now in (16.0, 18.0)] == [0.0, 2.0]
    stillness.keep([])
    assert stillness.seconds(path, second, 30.0) == 0.0
    stillness.seconds(path, second, 31.0)
    stillness.forget(path)
    assert stillness.seconds(path, second, 32.0) == 0.0


def test_a_look_sees_a_write_that_keeps_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "1.bmp"
    path.write_bytes(b"aaaa")
    os.utime(path, (5, 5))
    before = look(path)
    with path.open("r+b") as file:
        file.write(b"bbbb")
    os.utime(path, (5, 5))
    assert (before.size, before.mtime) == (look(path).size, look(path).mtime)
    assert before != look(path)


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
def test_the_kernel_tells_who_has_a_file_open_for_writing(tmp_path: Path) -> None:
    path = tmp_path / "1.bmp"
    path.write_bytes(b"x")
    with path.open("rb") as reading:
        if open_for_writing(reading.fileno()) is None:
            pytest.skip("this file system has no leases")
        assert open_for_writing(reading.fileno()) is False
        with path.open("ab"):
            assert open_for_writing(reading.fileno()) is True
        assert open_for_writing(reading.fileno()) is False
        with path.open("ab") as writing:  # the lease is let go at once: nobody waits for it
            writing.write(b"y")


def test_where_the_kernel_gives_no_leases_only_a_writer_that_is_seen_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container without capabilities, for files of another owner, and on network shares."""
    path = tmp_path / "1.bmp"
    path.write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with path.open("rb") as reading:
        assert open_for_writing(reading.fileno()) is None
        with path.open("rb"), path.open("ab"):
            assert open_for_writing(reading.fileno()) is (True if sys.platform == "linux" else None)
        monkeypatch.setattr("producer.station.file_state._PROCESSES", tmp_path)  # which no other system has
        with path.open("ab"):
            assert open_for_writing(reading.fileno()) is None


def test_room_that_was_reserved_and_not_written_is_a_hole(tmp_path: Path) -> None:
    path = tmp_path / "1.bmp"
    path.write_bytes(b"\0" * 100_000)
    with path.open("rb") as file:
        assert not has_holes(file.fileno(), 100_000)
    os.truncate(path, 10_000_000)
    with path.open("rb") as file:
        assert has_holes(file.fileno(), 10_000_000)
        assert file.read(10) == b"\0" * 10
