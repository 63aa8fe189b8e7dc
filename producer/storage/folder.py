"""The image store in a folder of this machine, or in one that it mounts."""

from __future__ import annotations

import hashlib
from pathlib import Path

from producer.contract.event import check_key
from producer.files.durable_files import write_file
from producer.storage.store import ImageMissing, ImageRefused
from producer.terminal.error_text import naming


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
        path = self._path(key)
        try:
            with naming(path), path.open("rb") as file:
                return _at_most(limit, file.read(limit + 1), key)
        except (FileNotFoundError, NotADirectoryError):
            raise ImageMissing(f"no image under {key!r}") from None
        except IsADirectoryError:
            raise ImageRefused(f"{key!r} is a folder, not an image") from None

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
        path = self.root / check_key(key)
        # A key has no '..', so only a symbolic link can lead elsewhere than to its own name below the root.
        try:
            followed = path.resolve()
        except RuntimeError:  # in circles
            followed = None
        if followed != self.root.resolve() / key:
            raise ImageRefused(f"{key!r} leads through a symbolic link")
        return path


def _at_most(limit: int, data: bytes, key: str) -> bytes:
    if len(data) > limit:
        raise ImageRefused(f"{key!r} has more than {limit} bytes")
    return data
