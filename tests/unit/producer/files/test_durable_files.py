from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from producer.files import durable_files
from producer.files.durable_files import move_back, replace, replaced_file, write_file, write_private_file


class Windows:
    """A `Path.replace` that refuses as Windows does while another program has the file open."""

    def __init__(self, refusals: int, winerror: int = 32):
        self.refusals = refusals
        self.winerror = winerror
        self._replace = Path.replace

    def __call__(self, path: Path, target: Path) -> Path:
        if self.refusals > 0:
            self.refusals -= 1
            error = PermissionError(errno.EACCES, "The process cannot access the file", str(path))
            error.winerror = self.winerror  # type: ignore[attr-defined,unused-ignore]
            raise error
        return self._replace(path, target)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Windows:
    fake = Windows(refusals=2)
    monkeypatch.setattr(Path, "replace", lambda path, target: fake(path, target))
    return fake


def test_a_file_that_another_program_has_open_is_replaced_when_it_lets_go(windows: Windows, tmp_path: Path) -> None:
    write_file(tmp_path / "image.jpg", b"new")
    assert windows.refusals == 0
    assert (tmp_path / "image.jpg").read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [tmp_path / "image.jpg"]


def test_a_file_that_stays_open_is_an_error_after_a_second(
    windows: Windows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows.refusals = 10**9
    monkeypatch.setattr(durable_files, "REPLACE_FOR", 0.1)
    with pytest.raises(PermissionError):
        write_file(tmp_path / "image.jpg", b"new")
    assert list(tmp_path.iterdir()) == []


def test_what_may_not_be_replaced_at_all_is_said_at_once(windows: Windows, tmp_path: Path) -> None:
    windows.winerror = 19  # write protected
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(PermissionError):
        replace(tmp_path / "a", tmp_path / "b")
    assert windows.refusals == 1


def test_a_share_that_cannot_sync_a_folder_keeps_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = os.fsync

    def only_files(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            raise OSError(errno.EINVAL, "Invalid argument")
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    write_file(tmp_path / "new" / "image.jpg", b"data")
    assert (tmp_path / "new" / "image.jpg").read_bytes() == b"data"


def fail_halfway(path: Path) -> None:
    path.write_text("half")
    raise RuntimeError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    with replaced_file(path) as temporary:
        temporary.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    with pytest.raises(RuntimeError), replaced_file(path) as temporary:
        fail_halfway(temporary)
    assert path.read_text() == "one"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]


def test_a_file_that_need_not_survive_a_power_cut_is_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with replaced_file(tmp_path / "a", synced=False) as temporary:
        temporary.write_text("a")
    assert synced == []
    write_file(tmp_path / "b", b"b")
    assert len(synced) == 2, "the file and its folder"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("lacks", [(), ("link",), ("link", "rename")], ids=["", "no hard links", "no such rename"])
def test_what_is_moved_back_overwrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: tuple[str, ...]
) -> None:
    def unsupported(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if "link" in lacks:
        monkeypatch.setattr(os, "link", unsupported)
    if "rename" in lacks:
        monkeypatch.setattr("producer.files.durable_files._renamed_to_new", lambda *_: False)
    (tmp_path / "moved").write_bytes(b"older")
    move_back(tmp_path / "moved", tmp_path / "1.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["1.jpg"]
    (tmp_path / "moved").write_bytes(b"newer")
    with pytest.raises(FileExistsError):
        move_back(tmp_path / "moved", tmp_path / "1.jpg")
    assert (tmp_path / "1.jpg").read_bytes() == b"older"
    assert (tmp_path / "moved").read_bytes() == b"newer"


def test_a_private_file_is_its_owner_s_alone_and_never_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder/key.pem"
    write_private_file(path, b"one")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"one", 0o600)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_private_file(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]
