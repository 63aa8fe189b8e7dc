"""What operating systems, archives and network storage leave in folders: no photographs, whatever their names say."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from producer.pictures.file_names import is_picture

LITTER: Final = frozenset(
    {
        "__macosx",
        "@eadir",
        "@recently-snapshot",
        "@recycle",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "lost+found",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "icon\r",
    }
)
"""Names of files and folders, in lower case, beside those that begin with a dot."""

_HIDDEN: Final = frozenset(
    {
        *(".ds_store", ".spotlight-v100", ".fseventsd", ".temporaryitems", ".documentrevisions-v100", ".apdisk"),
        *(".zfs", ".svn", ".stversions", ".stfolder", ".directory", ".hidden", ".localized"),
    }
)
"""Names of hidden files and folders, in lower case, that systems and programs keep."""

_PREVIEWS: Final = ("._", ".thumb", ".@__thumb")
"""How hidden files and folders begin, in lower case, that show what another one does: previews."""

_KEPT: Final = (".trash", ".snapshot", ".recycle", ".picasa", ".git", ".dropbox")
"""How others begin of which there are several: what was deleted or changed, and what programs note. A file that was
deleted while a program wrote it (`.nfs…`, `.fuse_hidden…`) is none: it may be the newest. Nor is a picture."""

_MARKS: Final = frozenset(
    {
        *("done", "ready", "ok", "complete", "completed", "finished", "success", "end", "eof"),
        *("trigger", "trg", "flag", "sem", "mark", "marker", "lock", "lck", "keep", "gitkeep", "nomedia"),
    }
)
"""What empty files are called, or how they end, that programs put for each other."""


def may_be_on_its_way(name: str) -> bool:
    """Whether a hidden name may be that of a photograph, or of a folder of them, which a program copies here."""
    lower = name.casefold()
    if not lower.startswith(".") or lower in _HIDDEN or lower.startswith(_PREVIEWS):
        return False
    return is_picture(name) or not lower.startswith(_KEPT)


def is_system_litter(relative: Path) -> bool:
    """Whether a path below a folder of photographs is, or lies in, something that no person put there.

    Args:
        relative: the path from that folder, so that its own name and those above it do not count.
    """
    return any(part.startswith((".", "~$")) or part.casefold() in LITTER for part in relative.parts)


def is_marker(name: str) -> bool:
    """Whether an empty file of this name is a mark and no photograph to come: `done`, `op-7.ready`, `_SUCCESS`."""
    return name.rpartition(".")[2].strip("_").casefold() in _MARKS
