from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.station.folder_lock import FolderTaken
from producer.station.watched_folder import WatchedFolder


def test_a_folder_that_goes_away_and_comes_back_is_said_once_each_and_held_again(tmp_path: Path) -> None:
    path = tmp_path / "camera"
    path.mkdir()
    folder = WatchedFolder(path)
    folder.hold()
    with capture_logs() as said:
        assert folder.is_there()
        path.rename(tmp_path / "away")
        assert [folder.is_there() for _ in range(3)] == [False] * 3
        assert list(folder.files()) == []
        (tmp_path / "away").rename(path)
        assert [folder.is_there() for _ in range(3)] == [True] * 3
    assert [entry["event"] for entry in said] == [
        "the folder is gone: waiting for it to come back",
        "the folder is back",
    ]
    with pytest.raises(FolderTaken):
        WatchedFolder(path).hold()
    folder.close()


def test_what_was_handed_in_is_never_listed(tmp_path: Path) -> None:
    folder = WatchedFolder(tmp_path)
    for name in ("m/h/o/1.jpg", "submitted/m/h/o/1.jpg", "rejected/1.jpg", "m/submitted/o/2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "m/h/o/3.jpg").symlink_to(tmp_path / "m/h/o/1.jpg")
    assert sorted(path.relative_to(tmp_path).as_posix() for path, _ in folder.files()) == [
        "m/h/o/1.jpg",
        "m/submitted/o/2.jpg",
    ]


def test_a_file_of_the_same_name_does_not_overwrite_what_was_moved_before(tmp_path: Path) -> None:
    folder = WatchedFolder(tmp_path)
    for content in (b"first", b"second"):
        (tmp_path / "1.jpg").write_bytes(content)
        folder.move(Path("1.jpg"), "rejected", "no place")
    kept = {path.read_bytes() for path in (tmp_path / "rejected").glob("*.jpg")}
    assert kept == {b"first", b"second"}
    assert len(list((tmp_path / "rejected").glob("*.reason.txt"))) == 2


def test_a_folder_that_goes_away_before_a_move_is_not_made_anew(tmp_path: Path) -> None:
    """An empty one in its place would be watched as if nothing had gone away."""
    path = tmp_path / "camera"
    path.mkdir()
    (path / "1.jpg").write_bytes(b"x")
    folder = WatchedFolder(path)
    path.rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        folder.move(Path("1.jpg"), "submitted")
    assert not folder.is_there()
