"""The image store in a folder of this machine, or in one that it mounts."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from producer.contract.event import check_key
from producer.contract.reasons import faults
from producer.files.durable_files import write_file
from producer.storage.store import ImageMissing, ImageRefused
from producer.terminal.error_text import naming

_JUNCTION: Final = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT: what Windows has beside symbolic links, and Python takes for a folder."""


class FolderStore:
    """Images in a folder of this machine, or one that it mounts."""

    def __init__(self, root: Path):
        self.root = root.absolute()

    def put(self, key: str, data: bytes) -> str:
        """See `ImageStore.put`."""
        path = self._path(key)
        digest = hashlib.sha256(data).hexdigest()
        if path.exists():
            if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                return digest
            raise ValueError(f"another image is stored under {key!r} already")
        write_file(path, data)
        return digest

    def get(self, key: str, limit: int) -> bytes:
        """See `ImageStore.get`."""
        path = self._place(key)
        try:
            with naming(path), open(path, "rb", buffering=0) as file:  # noqa: PTH123
                # As much as there is: to make room for the largest photograph takes longer than to read a usual one.
                most = min(os.fstat(file.fileno()).st_size, limit) + 1
                data = file.read(most)
                while len(data) < most and (more := file.read(most - len(data))):
                    data += more
                return _at_most(limit, data, key)
        except (FileNotFoundError, NotADirectoryError):
            raise ImageMissing(faults.MISSING(key=key)) from None
        except IsADirectoryError:
            raise ImageRefused(faults.FOLDER(key=key)) from None

    def keys(self) -> list[str]:
        """See `FileStore.keys`."""
        try:
            with naming(self.root):
                return sorted(path.name for path in self.root.iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return []

    def remove(self, key: str) -> None:
        """See `FileStore.remove`."""
        path = self._path(key)
        with naming(path):
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return Path(self._place(key))

    def _place(self, key: str) -> str:
        """The path of an image as text: a worker asks for it for each photograph."""
        part = str(self.root)
        # A key has no '..', so only a link below the root can lead elsewhere than to its own name there.
        for segment in check_key(key).split("/"):
            part = f"{part}{os.sep}{segment}"
            if _is_link(part):
                raise ImageRefused(faults.LINK(key=key))
        return part


def _is_link(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:  # nothing is there, or nothing that can be looked at: opening it says so
        return False
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION


def _at_most(limit: int, data: bytes, key: str) -> bytes:
    if len(data) > limit:
        raise ImageRefused(faults.TOO_LARGE(key=key, most=limit))
    return data
