from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from producer.station.folder_lock import LOCK_FILE, FolderLock, FolderTaken

_HOLDER = """
import sys
from pathlib import Path
from producer.station.folder_lock import FolderLock
FolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_is_held_by_one_process_until_that_ends_however_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(FolderTaken, match="another"):
            FolderLock(tmp_path)
        other.kill()
        other.wait()
    held = FolderLock(tmp_path)
    assert held.writable
    held.close()
    FolderLock(tmp_path).close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no lock on a folder itself")
def test_a_folder_that_may_only_be_read_is_held_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def read_only(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(f"read-only: {path}")
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", read_only)
    held = FolderLock(tmp_path)
    assert not held.writable
    assert not (tmp_path / LOCK_FILE).exists()
    with pytest.raises(FolderTaken):
        FolderLock(tmp_path)
    held.close()


def test_a_folder_that_is_not_there_cannot_be_held(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FolderLock(tmp_path / "nowhere")
