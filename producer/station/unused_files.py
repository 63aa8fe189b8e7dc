"""What lies in a watched folder, may be a photograph, and is not taken for its name: each is said once.

Copying programs write under names of their own and rename when they are done, so a file is said when it still stands
there at the next look.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Final

import structlog

from producer.pictures.file_names import SIDECARS, ending_of, implied_pocket, is_picture, pocket_of
from producer.pictures.system_files import is_system_litter, may_be_on_its_way
from producer.station.nameless_files import holds_picture
from producer.station.settled_files import Look

log = structlog.get_logger()

LOOK_EVERY: Final = 10.0
"""Seconds between two looks."""

_HIDDEN: Final = "its name is hidden, as while it is copied"
_NAME: Final = "its name is not <pocket> and an ending, like 7.jpg"
_ALONE: Final = "it goes with a photograph that is not there"
_TAKEN: Final = "this folder is for what was dealt with: no machine can have its name"


class UnusedFiles:
    """Looks for such files in one folder.

    Args:
        folder: the watched one.
        takes: whether a file of this name is taken.
        done: the names of the folders in it that hold what was dealt with.
    """

    def __init__(self, folder: Path, takes: Callable[[str], bool], done: tuple[str, ...]):
        self._folder = folder
        self._takes = takes
        self._done = done
        self._next = 0.0
        self._seen: dict[Path, Look] = {}
        self._said: set[Path] = set()
        self._listed: dict[Path, int] = {}
        self._misplaced: set[Path] = set()

    def look(self, now: float) -> None:
        """Look, at `now` of a clock that never steps, unless the last look was just before."""
        if now < self._next:
            return
        self._next = now + LOOK_EVERY
        looked_at = {**dict(self._unused()), **dict.fromkeys(self._in_the_way(), _TAKEN)}
        seen: dict[Path, Look] = {}
        for path, why in looked_at.items():
            with suppress(OSError):  # gone since it was listed
                seen[path] = Look.at(path.lstat())
                if self._seen.get(path) == seen[path] and path not in self._said:
                    self._said.add(path)
                    name = path.relative_to(self._folder).as_posix()
                    log.warning("a file lies in the folder and is not taken", file=name, problem=why)
        self._seen = seen
        self._said &= seen.keys()

    def _unused(self) -> Iterator[tuple[Path, str]]:
        for folder, folders, names in os.walk(self._folder):
            here = Path(folder)
            done = self._done if here == self._folder else ()
            for name in filter(may_be_on_its_way, folders):
                yield from ((path, _HIDDEN) for path in _entries(here / name) if is_picture(path.name))
            folders[:] = [name for name in folders if name not in done and not is_system_litter(Path(name))]
            for name in names:
                hidden = may_be_on_its_way(name)
                if self._takes(name):
                    continue
                if (pocket := implied_pocket(name)) is not None:
                    if ending_of(name) not in SIDECARS:
                        yield here / name, _HIDDEN if hidden else _NAME
                    elif pocket not in self._pockets(here):
                        yield here / name, _ALONE
                elif ending_of(name) in SIDECARS or (is_system_litter(Path(name)) and not hidden):
                    continue
                elif is_picture(PurePath(name).stem) or holds_picture(here / name):
                    yield here / name, _HIDDEN if hidden else _NAME

    def _pockets(self, operation: Path) -> set[int | None]:
        """The pockets of which a photograph is in an operation's folder, or was dealt with."""
        places = (self._folder / done / operation.relative_to(self._folder) for done in self._done)
        names = (path.name for place in (operation, *places) for path in _entries(place))
        return {pocket_of(name) for name in names if self._takes(name)}

    def _in_the_way(self) -> Iterator[Path]:
        """Photographs of a machine that is named like a folder for what was dealt with.

        What was dealt with lies a folder deeper, or has a note beside it. Only folders that changed are listed.
        """
        operations = [path for name in self._done for head in _entries(self._folder / name) for path in _entries(head)]
        for path in operations:
            with suppress(OSError):
                changed = path.stat().st_mtime_ns
                if path.is_dir() and self._listed.get(path) != changed:
                    self._listed[path] = changed
                    files = {file.name: file for file in _entries(path)}
                    self._misplaced |= {
                        file
                        for name, file in files.items()
                        if self._takes(name) and f"{name}.reason.txt" not in files and file.is_file()
                    }
        yield from self._misplaced


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # none, or no folder
        return []
