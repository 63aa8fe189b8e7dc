from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.delivery.outbox import Outbox
from producer.station.overwritten_files import OverwrittenFiles
from producer.station.submitted_files import HandedIn
from tests.support import photograph

PATH = Path("1.jpg")


@pytest.fixture
def files(tmp_path: Path) -> Iterator[OverwrittenFiles]:
    outbox = Outbox(tmp_path / "outbox.db")
    yield OverwrittenFiles(HandedIn(outbox, tmp_path))
    outbox.close()


@pytest.mark.parametrize("format", ["JPEG", "BMP", "TIFF"])
@pytest.mark.parametrize("written", [0.1, 0.5, 0.9])
def test_a_file_that_ends_as_the_photograph_before_is_not_finished(
    files: OverwrittenFiles, format: str, written: float
) -> None:
    before, after = (photograph(seed=seed, size=200, format=format) for seed in (1, 2))
    assert files.doubt(PATH, before) is None
    files.remember(PATH, before)
    until = min(int(len(after) * written), len(before) - 4096)
    assert "as the photograph before" in str(files.doubt(PATH, after[:until] + before[until:]))
    assert files.doubt(Path("2.jpg"), after[:until] + before[until:]) is None
    assert files.doubt(PATH, after) is None
    assert files.doubt(PATH, before) is None  # the same one, touched


def test_an_end_that_every_photograph_has_is_waited_for_once_and_then_known(files: OverwrittenFiles) -> None:
    end = bytes(range(256)) * 16
    for seed, doubted in ((1, False), (2, True), (3, False)):
        image = photograph(seed=seed) + end
        assert (files.doubt(PATH, image) is not None) == doubted
        files.remember(PATH, image)


def test_a_plain_end_tells_nothing(files: OverwrittenFiles) -> None:
    files.remember(PATH, photograph(seed=1) + bytes(5000))
    assert files.doubt(PATH, photograph(seed=2) + bytes(5000)) is None
