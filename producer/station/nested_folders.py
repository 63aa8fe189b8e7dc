"""One watched folder within another: both would take the same photographs, each under its own names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from producer.station.folder_lock import LOCK_FILE, FolderTaken, is_taken
from producer.station.mounts import other_names

DONE: Final = ("submitted", "rejected")
"""The folders in a watched one into which `watch` moves what it is done with."""


def check_not_nested(folder: Path) -> None:
    """Make sure that no other process watches a folder above or below this one, which is held.

    Of two that begin at once at least one sees the other, as each holds its own folder before it looks.

    Raises:
        FolderTaken: one does, or the folder is where another watched folder has what was handed in.
    """
    folder = folder.resolve()
    for name in (folder, *other_names(folder)):
        _check_above(name)
    for below in _below(folder):
        if is_taken(below):
            raise FolderTaken(f"another `watch` has {below}, which is in {folder}: {_REMEDY}")


def _check_above(folder: Path) -> None:
    """Make sure that no other process watches a folder above one, by one of its names.

    Raises:
        FolderTaken: as `check_not_nested` does.
    """
    for above in folder.parents:
        if is_taken(above):
            raise FolderTaken(f"another `watch` has {above}, and so takes what is in {folder} too: {_REMEDY}")
        inside = folder.relative_to(above).parts[0]
        if inside in DONE and (above / LOCK_FILE).exists():
            raise FolderTaken(
                f"{above / inside} holds what `watch` has done with out of {above}: it would be handed in twice. Watch "
                f"another folder, or copy there what is to be handed in again"
            )


_REMEDY: Final = "photographs would go in twice, or be rejected. End that one first, or watch one of the two only"


def _below(folder: Path) -> list[Path]:
    """The folders in it, but of what is done with only where that is."""
    folders = []
    for place, names, _ in os.walk(folder):
        here = Path(place)
        folders += [here / name for name in names]
        if here == folder:
            names[:] = [name for name in names if name not in DONE]
    return folders
