"""Validates the files of a labelled folder, and finds duplicates: the same bytes, or the same pixels in another format.

A photograph in two classes contradicts itself as a training example; one that is there twice may be on both sides of a
train/test split (leakage), and the scores are then too good.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from producer.files.file_digest import file_digest
from producer.runtime.arrays import AnyArray, UInt8Array
from worker.images.prefetch import read_ahead

_AHEAD = 32
"""Files that are decoded ahead."""

Look = Callable[[Path], UInt8Array]
"""The pixels of a file. Raises `ImageUnreadable`."""


class ImageUnreadable(ValueError):
    """A file is not an image that can be decoded whole; the message is the reason alone, without the file's name."""


@dataclass(frozen=True)
class FileDigests:
    """Digests of a file: of its bytes, and of its pixels where these were decoded."""

    data: str
    pixels: str | None = None


def examine(
    files: Iterable[tuple[Path, int]], looks: Mapping[int, Look | None]
) -> Iterator[tuple[Path, int, FileDigests | str]]:
    """Yield each file with its label and its digests, or the reason why it is no image.

    `looks` maps a label to the function that decodes its files; None does not decode.
    """

    def read(item: tuple[Path, int]) -> FileDigests:
        file, label = item
        if file.is_dir():
            raise ImageUnreadable("a folder inside a class: put its images into the class itself")
        if not file.is_file():
            raise ImageUnreadable("not a file")
        try:
            data = file_digest(file)
        except OSError as error:
            raise ImageUnreadable(f"cannot be read: {error.strerror}") from error
        look = looks[label]
        return FileDigests(data, None if look is None else _digest(look(file)))

    for (file, label), seen in read_ahead(read, files, _AHEAD):
        try:
            yield file, label, seen.result()
        except ImageUnreadable as error:
            yield file, label, str(error)


def repeated(files: Sequence[tuple[Path, str, FileDigests]]) -> dict[Path, str]:
    """Return the files, given with their class, that must be left out as duplicates, each with the reason.

    Of a photograph that is in one class several times the first stays; one that is in several classes is left out of
    all.
    """
    pixels = {digests.data: digests.pixels for _, _, digests in files if digests.pixels is not None}
    photographs: dict[str, list[tuple[Path, str]]] = defaultdict(list)
    for file, name, digests in files:
        photographs[pixels.get(digests.data) or digests.data].append((file, name))
    reasons: dict[Path, str] = {}
    for same in photographs.values():
        first = same[0]
        for file, name in same:
            others = [f"{owner}/{path.name}" for path, owner in same if owner != name]
            if others:
                more = f" and {len(others) - 1} more" if len(others) > 1 else ""
                reasons[file] = f"the same photograph is also there as {others[0]}{more}: left out of both classes"
            elif file != first[0]:
                reasons[file] = f"the same photograph as {name}/{first[0].name}: it counts once"
    return reasons


def _digest(image: AnyArray) -> str | None:
    """A digest of an image's pixels; None for one of a single colour, which many photographs may have become."""
    if image.min() == image.max():
        return None
    return hashlib.sha256(str(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()
