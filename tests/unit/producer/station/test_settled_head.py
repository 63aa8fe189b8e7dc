from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from producer.station.head_folder import look_at
from producer.station.settled_head import is_unguarded, settled
from tests.support import photograph


def test_where_nothing_tells_of_writers_a_head_is_looked_at_twice_and_what_changed_is_not_handed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pocket in (1, 2):
        (tmp_path / f"{pocket}.jpg").write_bytes(photograph(seed=pocket))
    if not is_unguarded(look_at(tmp_path, None)):  # as on disks with leases
        monkeypatch.setattr("producer.station.photograph_file.open_for_writing", lambda _: None)
    shown = look_at(tmp_path, None)
    assert is_unguarded(shown)
    pauses = []

    def somebody_writes(seconds: float) -> None:
        pauses.append(seconds)
        (tmp_path / "2.jpg").write_bytes(photograph(seed=3))

    # The module's own clock: threads that other tests left in this process sleep too.
    monkeypatch.setattr("producer.station.settled_head.time", SimpleNamespace(sleep=somebody_writes))
    after = settled(shown, tmp_path, 2.0)
    assert pauses == [2.0]
    assert [each.pocket for each in after.photographs] == [1]
    assert [(each.files, each.pockets) for each in after.problems] == [(["2.jpg"], [2])]
    assert after.check_size == 2


def test_a_writer_that_closes_the_file_between_its_pieces_is_waited_for_where_leases_tell_of_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pocket in (1, 2):
        (tmp_path / f"{pocket}.jpg").write_bytes(photograph(seed=pocket))
    monkeypatch.setattr("producer.station.photograph_file.open_for_writing", lambda _: False)
    shown = look_at(tmp_path, None)
    assert not is_unguarded(shown)
    pauses = []

    def it_goes_on(seconds: float) -> None:
        pauses.append(seconds)
        os.utime(tmp_path / "2.jpg")

    monkeypatch.setattr("producer.station.settled_head.time", SimpleNamespace(sleep=it_goes_on))
    after = settled(shown, tmp_path, 600.0)
    assert 0 < pauses[0] <= 600
    assert ([each.pocket for each in after.photographs], after.problems[0].pockets) == ([1], [2])
    # What has been still for long costs no time.
    youngest = max(look.changed for look in look_at(tmp_path, None).looks.values()) / 1e9
    settled_after = (time.time() - youngest) / 2
    shown = look_at(tmp_path, None)
    assert settled(shown, tmp_path, settled_after) is shown
    assert len(pauses) == 1
