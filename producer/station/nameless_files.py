"""Files whose names tell no pocket, and which may be a pocket's newest photograph all the same.

Programs write under names of their own and rename when they are done, or keep a second copy under one: `tmpab12cd`,
`.goutputstream-XV2K`, `.nfs0000a1`, `2 - Copy`. There is no end of such names, so what a file holds decides.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from producer.pictures.file_names import COMPANIONS, ending_of, is_earlier, is_picture, may_become_newest
from producer.pictures.image_formats import begins_as_picture
from producer.pictures.system_files import is_marker, is_system_litter, may_be_on_its_way

_BEGINNING: Final = 512
"""Bytes that are read of a file. All are 0 in one that has its size and nothing else yet."""


def holds_picture(path: Path) -> bool:
    """Whether a file begins as a photograph does, whatever it is named."""
    return begins_as_picture(_beginning(path) or b"")


def may_be_photograph(path: Path) -> bool:
    """Whether a file whose name tells no pocket may be a photograph: it begins as one, or shows nothing of itself yet.

    That is one that is empty, begins with zeros, or may not be read. What systems and programs are known to leave,
    marks that something is finished, and what was there before are none.
    """
    name = path.name
    if _is_left(name):
        return False
    if is_earlier(name) or ending_of(name) in COMPANIONS:
        return False
    beginning = _beginning(path)
    if beginning is None or begins_as_picture(beginning):
        return beginning is not None
    return not beginning.strip(b"\0") and may_become_newest(name) and not is_marker(name)


def with_photographs(folder: Path) -> Path | None:
    """The first folder in `folder`, itself among them, with a file that is or may be a photograph; None: there is none.

    One that cannot be listed may have some.
    """
    errors: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=errors.append):
        here = Path(place)
        if errors or any(is_picture(name) or may_be_photograph(here / name) for name in names if not _is_left(name)):
            return Path(errors[0].filename) if errors else here
        folders[:] = [name for name in folders if not _is_left(name)]
    return Path(errors[0].filename) if errors else None


def _is_left(name: str) -> bool:
    """Whether systems leave it about: a photograph on its way is hidden too, and none."""
    return is_system_litter(Path(name)) and not may_be_on_its_way(name)


def _beginning(path: Path) -> bytes | None:
    """A file's first bytes, none of one that may not be read; None where there is no file."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(_BEGINNING)
    except FileNotFoundError:
        return None
    except OSError:
        return b""
