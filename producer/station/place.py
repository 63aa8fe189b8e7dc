"""What a photograph in a watched folder shows, by its path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from producer.pictures.file_names import pocket_of


@dataclass(frozen=True)
class Place:
    """What a file's path says about its photograph."""

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
    if len(parts) != 4 or pocket is None:
        raise ValueError(f"{relative.as_posix()} is not <machine>/<head>/<operation>/<pocket>{relative.suffix}")
    return Place(parts[0], parts[1], parts[2], pocket)
