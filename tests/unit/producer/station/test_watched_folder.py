from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from producer.files.durable_files import move_back
from producer.station.folder_lock import FolderTaken
from producer.station.settled_files import Changing, Look
from producer.station.watched_folder import WatchedFolder
from tests.support import make_no_file

GONE = "the folder is gone: waiting for it to come back"


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
        GONE,
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
    assert sorted(path.relative_to(tmp_path).as_posix() for path, _ in folder.files()) == [
        "m/h/o/1.jpg",
        "m/submitted/o/2.jpg",
    ]


def test_a_file_of_the_same_name_does_not_overwrite_what_was_moved_before(tmp_path: Path) -> None:
    folder = WatchedFolder(tmp_path)
    for content in (b"first", b"second"):
        (tmp_path / "1.jpg").write_bytes(content)
        folder.move(Path("1.jpg"), look_at(tmp_path / "1.jpg"), "rejected", "no place")
    kept = {path.read_bytes() for path in (tmp_path / "rejected").glob("*.jpg")}
    assert kept == {b"first", b"second"}
    assert len(list((tmp_path / "rejected").glob("*.reason.txt"))) == 2


def look_at(path: Path) -> Look:
    return Look.at(path.lstat())


def test_what_is_another_photograph_by_now_is_not_moved(tmp_path: Path) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(b"first")
    look = look_at(path)
    (tmp_path / "next").write_bytes(b"other")
    (tmp_path / "next").rename(path)
    with pytest.raises(Changing):
        WatchedFolder(tmp_path).move(Path("1.jpg"), look, "submitted")
    assert path.read_bytes() == b"other"
    assert not (tmp_path / "submitted").exists()


@pytest.mark.parametrize("how", ["replaced", "opened"])
def test_what_changes_while_it_is_moved_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(b"first")
    look = look_at(path)
    with ExitStack() as stack:

        def late(source: Path, target: Path) -> None:
            if source == path and how == "replaced":
                path.write_bytes(b"the second one")
            elif source == path:
                stack.enter_context(path.open("r+b"))
            source.replace(target)

        monkeypatch.setattr("producer.station.watched_folder.replace", late)
        with pytest.raises(Changing):
            WatchedFolder(tmp_path).move(Path("1.jpg"), look, "submitted")
    assert path.read_bytes() == (b"the second one" if how == "replaced" else b"first")
    assert list((tmp_path / "submitted").iterdir()) == []


def test_what_comes_while_another_is_put_back_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(b"first")
    look = look_at(path)

    def late(source: Path, target: Path) -> None:
        path.write_bytes(b"the second one")
        source.replace(target)

    def meanwhile(source: Path, target: Path) -> None:
        path.write_bytes(b"the third one")
        move_back(source, target)

    monkeypatch.setattr("producer.station.watched_folder.replace", late)
    monkeypatch.setattr("producer.station.watched_folder.move_back", meanwhile)
    with capture_logs() as said, pytest.raises(Changing):
        WatchedFolder(tmp_path).move(Path("1.jpg"), look, "submitted")
    assert path.read_bytes() == b"the third one"
    assert (tmp_path / "submitted/1.jpg").read_bytes() == b"the second one"
    assert [(entry["file"], entry["kept"]) for entry in said] == [("1.jpg", "submitted/1.jpg")]


def test_a_folder_that_goes_away_before_a_move_is_not_made_anew(tmp_path: Path) -> None:
    """An empty one in its place would be watched as if nothing had gone away."""
    path = tmp_path / "camera"
    path.mkdir()
    (path / "1.jpg").write_bytes(b"x")
    folder = WatchedFolder(path)
    path.rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        folder.move(Path("1.jpg"), look_at(tmp_path / "away" / "1.jpg"), "submitted")
    assert not folder.is_there()


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("a link to nowhere", "it is a symbolic link"),
        ("a link to itself", "it is a symbolic link"),
        ("a link to a device", "it is a symbolic link"),
        ("a pipe", "it is a pipe"),
        ("a socket", "it is a socket or a device"),
        ("a folder", "it is a folder"),
    ],
)
def test_what_is_named_like_a_photograph_and_is_no_file_is_said_once(tmp_path: Path, kind: str, problem: str) -> None:
    folder = WatchedFolder(tmp_path)
    path = tmp_path / "m" / "h" / "o" / "7.jpg"
    path.parent.mkdir(parents=True)
    make_no_file(path, kind)
    with capture_logs() as said:
        assert [*folder.files(), *folder.files()] == []
    assert [(entry["file"], entry["problem"]) for entry in said] == [("m/h/o/7.jpg", problem)]
    (path.rmdir if kind == "a folder" else path.unlink)()
    path.write_bytes(b"x")
    with capture_logs() as said:
        assert [name for name, _ in folder.files()] == [path]
    assert said == []


def test_a_link_to_a_file_or_to_a_folder_is_not_followed_and_said(tmp_path: Path) -> None:
    (tmp_path / "real" / "h" / "o").mkdir(parents=True)
    (tmp_path / "real" / "h" / "o" / "1.jpg").write_bytes(b"x")
    (tmp_path / "camera").mkdir()
    (tmp_path / "camera" / "m").symlink_to(tmp_path / "real")
    (tmp_path / "camera" / "1.jpg").symlink_to(tmp_path / "real/h/o/1.jpg")
    with capture_logs() as said:
        assert list(WatchedFolder(tmp_path / "camera").files()) == []
    assert sorted((entry["file"], entry["problem"]) for entry in said) == [
        ("1.jpg", "it is a symbolic link"),
        ("m", "it is a symbolic link"),
    ]


def test_an_empty_folder_in_the_place_of_the_watched_one_is_not_taken_for_it(tmp_path: Path) -> None:
    """As a share leaves it that is unmounted: its mount point."""
    path, away = tmp_path / "camera", tmp_path / "away"
    path.mkdir()
    folder = WatchedFolder(path)
    folder.hold()
    path.rename(away)
    path.mkdir()
    (path / ".insert-station.lock").touch()  # from a start without the share
    with capture_logs() as said:
        assert [folder.is_there() for _ in range(3)] == [False] * 3
        path.joinpath(".insert-station.lock").unlink()
        path.rmdir()
        away.rename(path)
        assert [folder.is_there() for _ in range(3)] == [True] * 3
    assert [(entry["event"], entry.get("problem")) for entry in said] == [
        (GONE, "an empty folder is in its place: is its share mounted?"),
        ("the folder is back", None),
    ]
    folder.close()


def test_another_folder_with_something_in_it_is_watched_in_the_place_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "camera"
    path.mkdir()
    folder = WatchedFolder(path)
    folder.hold()
    path.rename(tmp_path / "before")
    (path / "mill-1").mkdir(parents=True)
    with capture_logs() as said:
        assert folder.is_there()
        assert folder.is_there()
    assert [entry["event"] for entry in said] == [
        "another folder is in the place of the watched one, and is watched now"
    ]
    with pytest.raises(FolderTaken):
        WatchedFolder(path).hold()
    WatchedFolder(tmp_path / "before").hold()  # the first one is let go
    folder.close()


def test_a_share_whose_server_does_not_answer_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = WatchedFolder(tmp_path)
    folder.hold()
    with capture_logs() as said, monkeypatch.context() as patch:
        patch.setattr(Path, "stat", stale)
        assert [folder.is_there(), folder.is_there()] == [False, False]
    assert folder.is_there()
    assert [(entry["event"], entry["problem"]) for entry in said] == [(GONE, os.strerror(errno.ESTALE))]
    folder.close()


def stale(path: Path) -> os.stat_result:
    raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))


def test_each_folder_that_cannot_be_listed_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = [tmp_path / "mill-1", tmp_path / "mill-2"]
    for path in locked:
        path.mkdir()
    scandir = os.scandir

    def refuse(path: str) -> Any:
        if Path(path) in locked:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    folder = WatchedFolder(tmp_path)
    with capture_logs() as said:
        for _ in range(3):
            assert list(folder.files()) == []
    assert [entry["problem"] for entry in said] == [f"{path}: Permission denied" for path in locked]
