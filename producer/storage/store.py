"""The protocol of image stores, and what can be wrong with an image in one."""

from __future__ import annotations

from typing import Protocol

from producer.contract.reasons.template import Reason


class ImageMissing(LookupError):
    """There is no image under that key, at least not yet; `reason` says so."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class ImageRefused(ValueError):
    """What lies under that key may not be read, for this `reason`: it is too large, or reached through a link."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class ImageStore(Protocol):
    """Where a station puts its photographs and a worker reads them."""

    def put(self, key: str, data: bytes) -> str:
        """Store `data` durably under `key` and return its SHA-256; the same image twice is once.

        Raises:
            ValueError: the key is unsafe, or another image is stored under it already.
            OSError: the store cannot be written.
        """
        ...

    def get(self, key: str, limit: int) -> bytes:
        """Return the image under `key`, of at most `limit` bytes.

        Raises:
            ImageMissing: nothing is stored under the key.
            ImageRefused: more than `limit` bytes, or the key leads through a symbolic link.
            OSError: the store cannot be read.
        """
        ...


class FileStore(ImageStore, Protocol):
    """A place that can also say what it holds, and let go of it: for what is not a photograph and stays few."""

    def keys(self) -> list[str]:
        """Return the keys that lie directly in the store, in order; none where it does not exist yet.

        Raises:
            OSError: the store cannot be read.
        """
        ...

    def remove(self, key: str) -> None:
        """Remove what is stored under `key`; what is not there need not be removed.

        Raises:
            ValueError: the key is unsafe.
            OSError: the store cannot be changed.
        """
        ...
