from __future__ import annotations

import os
from pathlib import Path

import pytest

from producer.station import mounts


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mounts, "_OF_THIS_PROCESS", tmp_path)
    return tmp_path


def test_a_mount_is_told_by_the_descriptor_that_was_opened_through_it(processes: Path) -> None:
    """A blank is written in octal, and fields before the dash come and go."""
    (processes / "mountinfo").write_text(
        "36 35 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "37 36 0:40 /out /mnt/the\\040camera rw,noatime master:1 shared:2 - fuse.bindfs bindfs rw\n"
    )
    (processes / "fdinfo").mkdir()
    (processes / "fdinfo/3").write_text("pos:\t0\nflags:\t0100000\nmnt_id:\t37\nino:\t3\n")
    mount = mounts.mount_of(3)
    assert mount == mounts.Mount("37", os.makedev(0, 40), Path("/out"), Path("/mnt/the camera"), "fuse.bindfs")
    assert [each.kind for each in mounts.mounts()] == ["ext4", "fuse.bindfs"]


def test_a_folder_is_called_otherwise_where_a_part_of_its_file_system_is_mounted_once_more(processes: Path) -> None:
    (processes / "mountinfo").write_text(
        "36 35 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "37 36 0:40 /out /mnt/camera rw - nfs4 server:/out rw\n"
        "38 36 0:40 /out/mill-1 /mnt/mill rw - nfs4 server:/out/mill-1 rw\n"
        "39 36 0:41 /out /mnt/other rw - nfs4 another:/out rw\n"
        "40 36 0:40 /elsewhere /mnt/elsewhere rw - nfs4 server:/elsewhere rw\n"
    )
    assert list(mounts.other_names(Path("/mnt/mill/H12"))) == [Path("/mnt/camera/mill-1/H12")]
    assert list(mounts.other_names(Path("/mnt/camera/mill-1"))) == [Path("/mnt/mill")]
    assert list(mounts.other_names(Path("/mnt/camera"))) == []
    assert list(mounts.other_names(Path("/srv"))) == []


def test_where_the_system_does_not_tell_there_is_none(processes: Path) -> None:
    assert list(mounts.mounts()) == []
    assert list(mounts.other_names(processes)) == []
    assert mounts.mount_of(3) is None
    (processes / "fdinfo").mkdir()
    (processes / "fdinfo/3").write_text("pos:\t0\n")
    assert mounts.mount_of(3) is None
