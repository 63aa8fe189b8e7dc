from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from producer.station import undated_files
from producer.station.settled_files import Look
from producer.station.undated_files import UndatedFiles

ONE_TIME = Look(3, 315_532_800 * 10**9, 315_532_800 * 10**9, 7)


def test_a_file_whose_times_tell_nothing_is_read_again(tmp_path: Path) -> None:
    files, paths = UndatedFiles(), [tmp_path / name for name in ("1", "2", "3", "4")]
    looks = [ONE_TIME, ONE_TIME, replace(ONE_TIME, changed=1), replace(ONE_TIME, mtime=5, changed=5)]
    for path, look in zip(paths, looks, strict=True):
        path.write_bytes(b"one")
        files.remember(path, look, b"one")
    assert files.changed() == []
    for path in paths:
        path.write_bytes(b"two")
    files.keep(paths)
    assert files.changed() == paths[:2], "the others look otherwise"
    assert files.changed() == [], "somebody else deals with them now"


def test_of_many_some_are_read_each_time_and_none_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("READ_FOR", "READ_FOR_MOST"):
        monkeypatch.setattr(undated_files, name, -1.0)
    files, paths = UndatedFiles(), [tmp_path / str(number) for number in range(5)]
    for path in paths:
        path.write_bytes(b"one")
        files.remember(path, ONE_TIME, b"one")
    paths[4].write_bytes(b"two")
    paths[0].unlink()
    assert [files.changed() for _ in range(5)] == [[], [], [], [], [paths[4]]]
    files.keep(paths[1:2])
    for path in paths[1:]:
        path.write_bytes(b"six")
    assert [files.changed() for _ in range(5)] == [[paths[1]], [], [], [], []]


def test_so_long_is_read_that_all_are_within_a_minute_and_what_takes_longer_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 0.0

    class OnSlowShare(type(tmp_path)):  # type: ignore[misc]
        def read_bytes(self) -> bytes:
            nonlocal moment
            moment += 0.05
            return b"two" if self.name == "499" else b"one"

    monkeypatch.setattr(undated_files, "time", SimpleNamespace(monotonic=lambda: moment))
    files = UndatedFiles()

    def remember(*numbers: int) -> None:
        for number in numbers:
            files.remember(OnSlowShare(tmp_path / str(number)), ONE_TIME, b"one")

    remember(*range(500))
    with capture_logs() as said:
        while not files.changed():
            moment += 1.0
        assert 30 < moment < 70
        assert said == []
        remember(*range(500, 3_000))
        for _ in range(3):
            moment += 1.0
            assert files.changed() == []
    assert [(entry["files"], entry["log_level"]) for entry in said] == [(2_999, "warning")]
