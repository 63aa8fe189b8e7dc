from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from producer.station.settled_files import Look, Stillness, still_for
from producer.station.time_since_boot import Moment


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


def test_a_file_is_waited_for_until_it_is_as_old_as_a_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producer.station.settled_files.time", SimpleNamespace(time_ns=lambda: 100 * 10**9))
    monkeypatch.setattr("producer.station.settled_files.Moment.now", lambda: Moment("this start", 50.0))

    def left(*changed: int) -> float:
        return still_for([Look(1, 0, seconds * 10**9, 1) for seconds in changed], 2.0)

    assert [left(), left(90), left(98), left(99, 90), left(100)] == [0.0, 0.0, 0.0, 1.0, 2.0]
    assert left(500) == 2.0, "by a clock that was set back since"
    assert left(49) == 2.0, "from before the start, at which the clock may have been set forward"
