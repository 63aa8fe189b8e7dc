from __future__ import annotations

import subprocess
import sys

import pytest

from producer.station import time_since_boot
from producer.station.time_since_boot import Moment


def test_a_moment_is_written_and_read() -> None:
    assert Moment.read(str(Moment("a-b", 12.5))) == Moment("a-b", 12.5)
    with pytest.raises(ValueError, match="float"):
        Moment.read("yesterday")


def test_seconds_are_counted_within_one_start_only() -> None:
    assert Moment("a", 12.0).since(Moment("a", 2.0)) == 10.0
    assert Moment("b", 12.0).since(Moment("a", 2.0)) is None


@pytest.mark.skipif(not time_since_boot._BOOT_ID.exists(), reason="this system does not name its start")
def test_processes_of_one_start_have_the_clock_in_common() -> None:
    before = Moment.now()
    script = f"from {Moment.__module__} import Moment; print(Moment.now())"
    there = Moment.read(
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    )
    passed = there.since(before)
    assert passed is not None
    assert 0 <= passed < 60


def test_where_the_system_does_not_name_its_start_each_process_has_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr(time_since_boot, "_BOOT_ID", time_since_boot.Path(str(tmp_path)) / "none")
    first, second = Moment.now(), Moment.now()
    assert first.boot == second.boot
    assert second.since(first) is not None


def test_a_moment_is_read_as_it_was_and_never_lies_ahead() -> None:
    moment = Moment("a-b", 1234.5678954321)
    assert Moment.read(str(moment)) == moment
