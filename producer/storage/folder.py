"""Images by key under one root URL: a folder on this machine, or any store that fsspec knows (``s3://…``)."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from producer.configuration.home_folder import at_home
from producer.contract.event import check_key
from producer.storage.durable_files import write_file
from producer.terminal.error_text import naming
from producer.terminal.redaction import discreet


class ImageMissing(LookupError):
    """There is no image under that key, at least not yet."""


class ImageRefused(ValueError):
    """What lies under that key may not be read: it is too large, or it is reached through a link."""


class ImageStore(Protocol):
    """Where a station puts its photographs and a worker reads them."""

    def put(self, key: str, data: bytes) -> str:
        """Store ``data`` durably under ``key`` and return its SHA-256; the same image twice is once.

        Raises:
            ValueError: the key is unsafe, or another image is stored under it already.
            OSError: the store cannot be written.
        """
        ...

    def get(self, key: str, limit: int) -> bytes:
        """Return the image under ``key``, of at most ``limit`` bytes.

        Raises:
            ImageMissing: nothing is stored under the key.
            ImageRefused: more than ``limit`` bytes, or the key leads through a symbolic link.
            OSError: the store cannot be read.
        """
        ...


def open_image_store(root: str) -> ImageStore:
    """The image store at ``root``: a path, a ``file://`` URL, or the URL of any store that fsspec knows.

    Raises:
        ValueError: the URL's protocol is unknown, or what it needs is not installed.
    """
    if "://" not in root or root.startswith("file://"):
        return FolderStore(at_home(Path(root.removeprefix("file://"))))
    from producer.storage.object_store import RemoteStore, how_to_install

    try:
        return RemoteStore(root)
    except (ImportError, ValueError) as error:
        raise ValueError(f"cannot open the image store {discreet(root)!r}: {how_to_install(error)}") from error


_NOBODY_S: Final = "insert-inspection/no-image-has-this-key"


def check_store(images: ImageStore) -> None:
    """Make sure that a store answers, and can say of an image that it is missing.

    Raises:
        OSError: it is away, or lets nobody in.
    """
    with suppress(ImageMissing):
        images.get(_NOBODY_S, 1)


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
        with naming(path):
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
