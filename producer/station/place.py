"""What a photograph in a watched folder shows, by its path."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from producer.contract.reasons.stations import OTHER_PATH
from producer.pictures.file_names import pocket_of

_OPERATION: Final = 3
"""Names in the path of an operation's folder."""


@dataclass(frozen=True)
class Place:
    """What a file's path says about its photograph, its names in normal form C as everywhere."""

    machine: str
    head: str
    operation: str
    pocket: int


def place_of(relative: Path) -> Place:
    """Read `<machine>/<head>/<operation>/<pocket>.jpg`.

    Raises:
        ValueError: the path has another form.
    """
    parts = relative.parts
    pocket = pocket_of(relative.name)
    if len(parts) != _OPERATION + 1 or pocket is None:
        raise ValueError(OTHER_PATH(path=relative.as_posix(), ending=relative.suffix))
    machine, head, operation = (unicodedata.normalize("NFC", part) for part in parts[:_OPERATION])
    return Place(machine, head, operation, pocket)


def operation_of(relative: Path) -> Path:
    """The folder `<machine>/<head>/<operation>` that a file lies in, however deep; else its own folder."""
    return Path(*relative.parts[:_OPERATION]) if len(relative.parts) > _OPERATION else relative.parent


def same_place(paths: Iterable[Path], folder: Path) -> dict[Path, list[str]]:
    """The files below a folder that show one and the same pocket, each with the names of the others.

    Like `1.jpg` beside `01.png`, or two folders whose names differ in how their accents are written.
    """
    of_place: dict[Place, list[Path]] = defaultdict(list)
    for path in paths:
        with suppress(ValueError):  # it shows no pocket
            of_place[place_of(path.relative_to(folder))].append(path)
    groups = [group for group in of_place.values() if len(group) > 1]
    return {path: [_seen_from(path, other) for other in group if other != path] for group in groups for path in group}


def _seen_from(path: Path, other: Path) -> str:
    return other.name if other.parent == path.parent else "/".join(other.parts[-4:])
