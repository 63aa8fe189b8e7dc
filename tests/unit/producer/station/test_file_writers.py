from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from producer.station.file_writers import has_holes, open_for_writing
from tests.shares import overlaid, shared


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
def test_the_kernel_tells_who_has_a_file_open_for_writing(tmp_path: Path) -> None:
    path = tmp_path / "1.bmp"
    path.write_bytes(b"x")
    with path.open("rb") as reading:
        if open_for_writing(reading.fileno()) is None:
            pytest.skip("this file system has no leases")
        assert open_for_writing(reading.fileno()) is False
        with path.open("ab"):
            assert open_for_writing(reading.fileno()) is True
        assert open_for_writing(reading.fileno()) is False
        with path.open("ab") as writing:  # the lease is let go at once: nobody waits for it
            writing.write(b"y")


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
@pytest.mark.parametrize(
    "kind", ["fuse.sshfs", "fuseblk", "nfs4", "cifs", "9p", "overlay", "vfat", "exfat", "of tomorrow"]
)
def test_a_lease_on_a_file_that_others_may_write_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "1.bmp"
    path.write_bytes(b"x")
    with path.open("rb") as reading:
        if open_for_writing(reading.fileno()) is None:
            pytest.skip("this file system has no leases")
        mounts = tmp_path / "mountinfo"
        lines = [line.split(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        mounts.write_text("\n".join(f"{mount} - {kind.replace(' ', '-')} none rw" for mount, _ in lines))
        (tmp_path / "fdinfo").symlink_to("/proc/self/fdinfo")
        monkeypatch.setattr("producer.station.mounts._OF_THIS_PROCESS", tmp_path)
        assert open_for_writing(reading.fileno()) is None
        with path.open("ab"):
            assert open_for_writing(reading.fileno()) is True, "a process of this computer is seen all the same"
        monkeypatch.setattr("producer.station.mounts._OF_THIS_PROCESS", tmp_path / "away")
        assert open_for_writing(reading.fileno()) is None


def test_a_writer_on_the_other_side_of_a_fuse_mount_is_not_taken_for_none(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with (
        shared(disk, tmp_path / "mount") as mount,
        (disk / "1.bmp").open("wb") as writing,
        (mount / "1.bmp").open("rb") as reading,
    ):
        writing.write(b"half")
        writing.flush()
        assert open_for_writing(reading.fileno()) is None


def test_a_writer_in_the_folder_below_an_overlay_is_not_taken_for_none(tmp_path: Path) -> None:
    """As a program of the computer has that writes into a container's layer."""
    for name in ("lower", "upper", "work"):
        (tmp_path / name).mkdir()
    with (
        overlaid(tmp_path / "lower", tmp_path / "upper", tmp_path / "work", tmp_path / "merged") as merged,
        (tmp_path / "upper/1.bmp").open("wb") as writing,
        (merged / "1.bmp").open("rb") as reading,
    ):
        writing.write(b"half")
        writing.flush()
        assert open_for_writing(reading.fileno()) is None


def test_where_the_kernel_gives_no_leases_only_a_writer_that_is_seen_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container without capabilities, for files of another owner, and on network shares."""
    path = tmp_path / "1.bmp"
    path.write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with path.open("rb") as reading:
        assert open_for_writing(reading.fileno()) is None
        with path.open("rb"), path.open("ab"):
            assert open_for_writing(reading.fileno()) is (True if sys.platform == "linux" else None)
        monkeypatch.setattr("producer.station.file_writers._PROCESSES", tmp_path)  # which no other system has
        with path.open("ab"):
            assert open_for_writing(reading.fileno()) is None


def test_room_that_was_reserved_and_not_written_is_a_hole(tmp_path: Path) -> None:
    path = tmp_path / "1.bmp"
    path.write_bytes(b"\0" * 100_000)
    with path.open("rb") as file:
        assert not has_holes(file.fileno(), 100_000)
    os.truncate(path, 10_000_000)
    with path.open("rb") as file:
        assert has_holes(file.fileno(), 10_000_000)
        assert file.read(10) == b"\0" * 10
