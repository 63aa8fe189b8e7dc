"""Removes photographs from the image store: by key, below its root, and nothing else.

The store itself belongs to the stations (`producer.storage.folder`), which `db` does not import; what both share
is the layout, a file or object for each key, and the contract's rule for keys.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from producer.contract.event import check_key


class ImagesMissing(ValueError):
    """The image store is not where it was looked for."""


@dataclass(frozen=True)
class Removal:
    """What became of some keys: `removed`, `missing` already, or `refused` because they are unsafe."""

    removed: int
    missing: int
    refused: tuple[str, ...]


class Images:
    """The photographs below a root: a folder, a `file://` URL, or any store that fsspec knows (`s3://…`)."""

    def __init__(self, root: str) -> None:
        """Open the store; nothing is read yet.

        Raises:
            ValueError: the URL's protocol is unknown, or what it needs is not installed.
        """
        self.root = root
        self._folder: Path | None = None
        if "://" not in root or root.startswith("file://"):
            self._folder = Path(root.removeprefix("file://")).absolute()
            return
        try:
            self._files: Any
            self._files, path = fsspec.core.url_to_fs(root)
        except (ImportError, ValueError) as error:
            raise ValueError(f"cannot open the image store {root!r}: {error}") from error
        self._prefix = str(path).rstrip("/")

    def size(self, key: str) -> int | None:
        """The bytes of an image, or None where there is none.

        Raises:
            OSError: the store cannot be read.
            ValueError: the key is unsafe.
        """
        try:
            if self._folder is not None:
                return _file(self._folder, key).stat().st_size
            return int(self._files.size(self._object(key)) or 0)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def remove(self, keys: Collection[str]) -> Removal:
        """Remove images; one that is gone already is fine, one whose key is unsafe is left alone.

        Raises:
            OSError: the store cannot be changed; some of them may be gone.
        """
        refused: list[str] = []
        safe: list[str] = []
        for key in keys:
            try:
                safe.append(check_key(key) if self._folder is None else str(_file(self._folder, key)))
            except ValueError:
                refused.append(key)
        removed = sum(map(_unlinked, safe)) if self._folder is not None else self._remove_objects(safe)
        return Removal(removed, len(safe) - removed, tuple(refused))

    def _object(self, key: str) -> str:
        return f"{self._prefix}/{check_key(key)}"

    def _remove_objects(self, keys: list[str]) -> int:
        """One call for all where the store has one, as S3 does; it does not tell which were there."""
        paths = [self._object(key) for key in keys]
        if not paths:
            return 0
        try:
            self._files.rm(paths)
        except FileNotFoundError:
            return sum(map(self._removed_object, paths))
        return len(paths)

    def _removed_object(self, path: str) -> bool:
        try:
            self._files.rm_file(path)
        except FileNotFoundError:
            return False
        return True


def _file(folder: Path, key: str) -> Path:
    path = folder / check_key(key)
    # A key has no '..', so only a symbolic link can lead elsewhere than to its own name below the root.
    if path.resolve() != folder.resolve() / key:
        raise ValueError(f"{key!r} leads through a symbolic link")
    return path


def _unlinked(path: str) -> bool:
    try:
        Path(path).unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
