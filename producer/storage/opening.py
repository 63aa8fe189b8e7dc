"""Opens the image store that a root names: a folder on this machine, or any store that fsspec knows (`s3://…`)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from producer.configuration.home_folder import at_home
from producer.storage.folder import FolderStore
from producer.storage.store import FileStore, ImageMissing, ImageStore
from producer.terminal.redaction import discreet


def open_image_store(root: str) -> ImageStore:
    """The image store at `root`: a path, a `file://` URL, or the URL of any store that fsspec knows.

    Raises:
        ValueError: the URL's protocol is unknown, or what it needs is not installed.
    """
    return open_file_store(root, "the image store")


def folder_of(root: str) -> Path | None:
    """The folder that a root names; None for the URL of any other store.

    Raises:
        ValueError: it begins with a home folder that is not known.
    """
    if "://" in root and not root.startswith("file://"):
        return None
    return at_home(Path(root.removeprefix("file://")))


def open_file_store(root: str, what: str, answer_seconds: float | None = None) -> FileStore:
    """A store at `root`, like `open_image_store`; messages call it `what`.

    `answer_seconds` bounds each call where it goes over a network, for files larger than photographs.

    Raises:
        ValueError: the URL's protocol is unknown, or what it needs is not installed.
    """
    if (folder := folder_of(root)) is not None:
        return FolderStore(folder)
    # fsspec is needed by object stores alone, and takes its time to load.
    from producer.storage.object_store import ANSWER_SECONDS, RemoteStore, how_to_install

    try:
        return RemoteStore(root, answer_seconds or ANSWER_SECONDS)
    except (ImportError, ValueError) as error:
        raise ValueError(f"cannot open {what} {discreet(root)!r}: {how_to_install(error)}") from error


_MISSING_KEY: Final = "insert-inspection/no-image-has-this-key"


def check_store(images: ImageStore) -> None:
    """Make sure that a store answers, and can say of an image that it is missing.

    Raises:
        OSError: it cannot be reached, or refuses access.
    """
    with suppress(ImageMissing):
        images.get(_MISSING_KEY, 1)


def absent_folder(images: ImageStore) -> Path | None:
    """The folder that a store is in, where there is none: it was not made yet, or its share is away."""
    if not isinstance(images, FolderStore) or images.root.is_dir():
        return None
    return images.root
