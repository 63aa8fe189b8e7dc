from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.delivery.outbox import Outbox
from producer.station.head_folder import HeadFolder, look_at
from producer.station.head_sizes import as_large_as_before, remember


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "outbox.db")
    yield box
    box.close()


def head(folder: Path, pockets: int) -> HeadFolder:
    folder.mkdir()
    for pocket in range(1, pockets + 1):
        (folder / f"{pocket}.jpg").write_bytes(bytes([pocket]))
    return look_at(folder, None)


def test_pockets_at_the_end_that_an_earlier_check_had_are_not_left_out(outbox: Outbox, tmp_path: Path) -> None:
    remember(5, "Gro\u0308\u00dfe", outbox)
    remember(4, "Gr\u00f6\u00dfe", outbox)
    shown = as_large_as_before(head(tmp_path / "few", 3), "Gr\u00f6\u00dfe", outbox)
    assert (shown.check_size, [[*problem.pockets] for problem in shown.problems]) == (5, [[4, 5]])
    assert shown.problems[0].what.startswith(
        "no photograph of pockets 4, 5: head Gr\u00f6\u00dfe is known with 5 pockets"
    )


def test_nothing_is_said_of_another_head_nor_of_as_many_or_more(outbox: Outbox, tmp_path: Path) -> None:
    remember(3, "H1", outbox)
    for pockets, name in ((3, "H1"), (4, "H1"), (2, "H2"), (2, "h1")):
        shown = head(tmp_path / f"{pockets}-{name}", pockets)
        assert as_large_as_before(shown, name, outbox) is shown
