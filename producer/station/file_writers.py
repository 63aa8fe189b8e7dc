"""Whether a program still writes a file, by what the kernel knows of it."""

from __future__ import annotations

import importlib
import os
import signal
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from producer.station.mounts import mount_of

_PROCESSES: Final = Path("/proc")

_OF_THIS_KERNEL: Final = frozenset(
    (
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "bcachefs", "zfs", "f2fs", "jfs", "nilfs2", "reiserfs"),
        *("ntfs3", "tmpfs", "ramfs"),
    )
)
"""File systems whose every writer this kernel knows, and whose every change it dates. Of the others another computer or
process may have the files: it gives a lease on a FUSE mount (sshfs, bindfs, rclone) without asking who writes on the
other side, and on an overlay without asking who writes in the folders below. FAT and exFAT date a change to two
seconds, before it was made."""


def open_for_writing(descriptor: int) -> bool | None:
    """Whether some process of this computer has a file open for writing; None where nothing tells that none has.

    Linux gives a read lease on a file exactly while nobody has it open for writing (`fcntl(2)`, `F_SETLEASE`), to
    its owner or to root; in a container root may have lost that right. That counts on file systems of its own. Else
    the open files of the processes that this one may look into tell of a writer, and never that there is none.
    `descriptor` must be open for reading only.
    """
    leased = _leased_to_a_writer(descriptor)
    return True if leased is None and _seen_open_for_writing(descriptor) else leased


def _leased_to_a_writer(descriptor: int) -> bool | None:
    locks: Any = _fcntl()
    if locks is None or not hasattr(locks, "F_SETLEASE") or _file_system(descriptor) not in _OF_THIS_KERNEL:
        return None
    try:
        # When a process opens the file for writing meanwhile, the kernel signals the holder of the lease. The default
        # signal would end this process, SIGURG does nothing.
        locks.fcntl(descriptor, locks.F_SETSIG, signal.SIGURG)
        locks.fcntl(descriptor, locks.F_SETLEASE, locks.F_RDLCK)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):  # not its owner, or a file system that has no leases
        return None
    locks.fcntl(descriptor, locks.F_SETLEASE, locks.F_UNLCK)
    return False


def _file_system(descriptor: int) -> str | None:
    """The kind of file system that an open file is on; None where nothing tells."""
    mount = mount_of(descriptor)
    return None if mount is None else mount.kind


def _seen_open_for_writing(descriptor: int) -> bool:
    """Whether a process that this one may look into has a file open for writing (`proc(5)`)."""
    file = os.fstat(descriptor)
    for descriptors in _PROCESSES.glob("[0-9]*/fd"):
        with suppress(OSError):  # another user's process, or over
            if any(_is_opened_to_write(opened, file) for opened in descriptors.iterdir()):
                return True
    return False


def _is_opened_to_write(opened: Path, file: os.stat_result) -> bool:
    """Whether one of a process's open files is `file`, open for writing."""
    try:
        if not os.path.samestat(opened.stat(), file):
            return False
        words = (opened.parents[1] / "fdinfo" / opened.name).read_text("ascii").split()
    except OSError:  # closed since it was listed
        return False
    return bool(int(words[words.index("flags:") + 1], 8) & (os.O_WRONLY | os.O_RDWR))


def has_holes(descriptor: int, size: int) -> bool:
    """Whether parts of a file were never written: its room was reserved first."""
    if not hasattr(os, "SEEK_HOLE"):
        return False
    try:
        return os.lseek(descriptor, 0, os.SEEK_HOLE) < size
    except OSError:
        return False
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


def _fcntl() -> ModuleType | None:
    """The kernel's file locks; Windows has none of that name."""
    try:
        return importlib.import_module("fcntl")
    except ImportError:
        return None
