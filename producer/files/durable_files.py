"""Files that are wholly there or not there at all, also after a power cut: how all three packages write them."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from producer.terminal.error_text import naming

REPLACE_FOR: Final = 1.0
"""Seconds for which a file that another program has open is tried to be replaced again (Windows only)."""

_IN_USE: Final = (5, 32)
"""ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION, of Windows."""

_AT_FDCWD, _RENAME_NOREPLACE = -100, 1
"""Of Linux: `renameat2(2)`."""


@contextmanager
def replaced_file(path: Path, *, synced: bool = True) -> Iterator[Path]:
    """A temporary path beside `path`: what is written there becomes `path` when the block ends without an error.

    Args:
        path: the file to write or to replace; folders that are missing are made.
        synced: whether the file, its folder and every folder made on the way survive a power cut.

    Raises:
        OSError: the disk is full or cannot be written; the old file, or none, is left then.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with naming(path):
            yield temporary
            if synced:
                sync(temporary)
            replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    if synced:
        sync(path.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to `path` as `replaced_file` does.

    Raises:
        OSError: the disk is full or cannot be written; nothing of the file is left then.
    """
    with replaced_file(path) as temporary:
        temporary.write_bytes(data)


def write_private_file(path: Path, data: bytes) -> None:
    """Write a file that its owner alone may read, a key or a password; never half, for an empty one lets anybody in.

    Raises:
        OSError: the disk is full or cannot be written; nothing of the file is left then.
    """
    with replaced_file(path) as temporary:
        temporary.touch(mode=0o600)  # before there is anything in it
        temporary.write_bytes(data)


def replace(path: Path, target: Path) -> None:
    """Move `path` to `target` in one step, over what is there.

    Windows refuses that while another program (a virus scanner, an indexer, a viewer) has either file open, for
    moments as a rule: it is tried again for `REPLACE_FOR` seconds.

    Raises:
        OSError: it cannot be moved.
    """
    end = time.monotonic() + REPLACE_FOR
    while True:
        try:
            path.replace(target)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _IN_USE or time.monotonic() > end:
                raise
            time.sleep(0.02)


def move_back(path: Path, target: Path) -> None:
    """Move `path` to `target` in one step, unless something is there: that is never overwritten.

    Where neither hard links nor such a rename exist, what comes between a look and the move would be.

    Raises:
        FileExistsError: something is there.
        OSError: it cannot be moved.
    """
    if os.name == "nt":  # where a rename never overwrites
        path.rename(target)
        return
    try:
        os.link(path, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # FAT and many network shares have no hard links
        if not _renamed_to_new(path, target):
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
            replace(path, target)
    else:
        path.unlink()


def _renamed_to_new(path: Path, target: Path) -> bool:
    """Rename by a call that refuses to overwrite; False where this system or file system has none."""
    rename: Any = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(path), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(path), None, str(target))


def make_folder(path: Path) -> None:
    """Make `path` and its missing parents, each synced into its parent."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Force a file, or the names inside a folder, to the disk.

    Raises:
        OSError: the disk cannot be written.
    """
    folder = path.is_dir()
    if folder and os.name == "nt":  # Windows has no handle to a folder; NTFS journals the rename itself.
        return
    handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network shares have no way to sync a folder, and say so; what is a real fault is not among these.
        if not folder or error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF):
            raise
    finally:
        os.close(handle)
