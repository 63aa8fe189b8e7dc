"""Who works by the head register is told of each change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from producer.station import register_watch
from producer.station.head_register import HeadRegister
from producer.station.register_watch import RegisterWatch
from tests.support import wait_until


def test_how_many_pockets_heads_have_is_said_at_first_and_after_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_watch, "LOOK_EVERY", 0.02)
    file, said = tmp_path / "heads.toml", list[Mapping[str, int]]()
    file.write_text("[heads.H12]\npockets = 4\n")
    with RegisterWatch(HeadRegister.load(file), said.append, settled_after=0.05):
        assert said == [{"H12": 4}]
        file.write_text("[heads.H12]\npockets = 6\n[heads.H14]\npockets = 2\n")
        wait_until(lambda: len(said) > 1)
    assert said == [{"H12": 4}, {"H12": 6, "H14": 2}]
