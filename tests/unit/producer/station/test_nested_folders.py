from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from producer.station.folder_lock import FolderTaken, is_taken
from producer.station.watched_folder import WatchedFolder
from tests.shares import bound


@pytest.fixture
def folders(tmp_path: Path) -> tuple[WatchedFolder, Path]:
    """A folder as a station has it, and a head's in it."""
    head = tmp_path / "in" / "mill-1" / "H12"
    head.mkdir(parents=True)
    return WatchedFolder(tmp_path / "in"), head


def test_a_folder_within_a_watched_one_is_refused_and_nothing_is_left_in_those_above(
    folders: tuple[WatchedFolder, Path],
) -> None:
    outer, head = folders
    inner = WatchedFolder(head)
    outer.hold()
    with pytest.raises(FolderTaken, match=f"another `watch` has {outer.path}, and so takes what is in {head} too"):
        inner.hold()
    assert not is_taken(head)
    outer.close()
    inner.hold()
    inner.close()
    assert not list(head.parent.glob(".*"))


def test_a_folder_with_a_watched_one_in_it_is_refused(folders: tuple[WatchedFolder, Path]) -> None:
    outer, head = folders
    inner = WatchedFolder(head)
    inner.hold()
    with pytest.raises(FolderTaken, match=f"another `watch` has {head}, which is in {outer.path}"):
        outer.hold()
    inner.close()
    outer.hold()
    outer.close()


def test_a_folder_within_a_watched_one_is_refused_under_another_name(
    folders: tuple[WatchedFolder, Path], tmp_path: Path
) -> None:
    """A part of a share that is mounted once more. By one device and number it is the same one, wherever it is."""
    outer, head = folders
    with bound(head.parent, tmp_path / "mill") as again:
        outer.hold()
        with pytest.raises(FolderTaken, match=f"another `watch` has {outer.path}"):
            WatchedFolder(again / "H12").hold()
        outer.close()
        inner = WatchedFolder(again / "H12")
        inner.hold()
        with pytest.raises(FolderTaken, match="another `watch` has"):
            outer.hold()
        inner.close()


@pytest.mark.parametrize("within", ["submitted", "rejected/mill-1"])
def test_what_was_handed_in_or_rejected_is_not_watched(folders: tuple[WatchedFolder, Path], within: str) -> None:
    outer, _ = folders
    outer.hold()
    outer.close()
    done = outer.path / within
    done.mkdir(parents=True)
    with pytest.raises(FolderTaken, match="it would be handed in twice"):
        WatchedFolder(done).hold()
    copied = outer.path.parent / "again"
    shutil.copytree(done, copied)
    held = WatchedFolder(copied)
    held.hold()
    held.close()
