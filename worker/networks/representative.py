"""The pictures that the ranges of an int8 network's values are measured on: a folder's, else drawn ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from producer.pictures.file_names import ending_of
from producer.pictures.image_formats import READABLE
from producer.pictures.system_files import is_system_litter
from producer.runtime.arrays import UInt8Array
from producer.simulation.head import labelled_images
from producer.terminal.counts import counted
from worker.images.decoding import UnusableImage, decode
from worker.runtime.progress import Progress, silent

FEWEST: Final = 16
"""Pictures of a folder, below which their values' ranges say little."""

_DRAWN: Final = 48
Picture = TypeVar("Picture")

_MOST_PICTURES: Final = 200
"""Of a larger folder so many are taken, evenly from its list: more change nothing but the time."""
_SEED: Final = 1


@dataclass(frozen=True, eq=False)
class Representative:
    """Pictures (n, height, width, 3) of 0…255, and where they are from."""

    images: UInt8Array
    origin: str

    def __str__(self) -> str:
        return f"{len(self.images)} {self.origin}, SHA-256 {hashlib.sha256(self.images.tobytes()).hexdigest()}"


def some_of(pictures: Sequence[Picture]) -> list[Picture]:
    """Return as many of these as a network's values are measured on, evenly from their list."""
    return [pictures[at] for at in np.linspace(0, len(pictures) - 1, min(_MOST_PICTURES, len(pictures))).astype(int)]


def drawn(size: tuple[int, int], progress: Progress = silent) -> Representative:
    """Return pictures of all kinds of inserts, drawn; the same every time."""
    images = []
    for number, (image, _) in enumerate(labelled_images(_DRAWN, _SEED, size=max(size)), start=1):
        images.append(decode(image, size))
        progress("drawing pictures", number, _DRAWN)
    return Representative(np.stack(images), "drawn pictures")


def of_folder(folder: Path, size: tuple[int, int], progress: Progress = silent) -> Representative:
    """Return the photographs in and below `folder`, or some of them where there are many.

    Raises:
        ValueError: one cannot be read, or there are too few.
        OSError: the folder cannot be read.
    """
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if ending_of(path.name) in READABLE and not is_system_litter(path.relative_to(folder)) and path.is_file()
    ]
    if len(files) < FEWEST:
        raise ValueError(
            f"{folder} has {counted(len(files), 'photograph')}; to measure a network's values on, {FEWEST} are needed"
        )
    chosen = some_of(files)
    images = []
    for number, path in enumerate(chosen, start=1):
        try:
            images.append(decode(path.read_bytes(), size))
        except UnusableImage as error:
            raise ValueError(f"{path} cannot be used: {error}; move it elsewhere") from error
        progress("reading photographs", number, len(chosen))
    return Representative(np.stack(images), "photographs")
