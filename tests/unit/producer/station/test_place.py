from __future__ import annotations

from pathlib import Path

import pytest

from producer.station.place import Place, place_of


def test_paths_say_what_a_photograph_shows() -> None:
    assert place_of(Path("mill-1/H1/op-7/12.jpg")) == Place("mill-1", "H1", "op-7", 12)
    for wrong in ("12.jpg", "mill-1/H1/op-7/left.jpg", "mill-1/H1/op-7/extra/12.jpg"):
        with pytest.raises(ValueError, match="<machine>"):
            place_of(Path(wrong))
