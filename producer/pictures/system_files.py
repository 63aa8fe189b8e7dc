"""What operating systems, archives and network storage leave in folders: no photographs, whatever their names say."""

from __future__ import annotations

from pathlib import Path
from typing import Final

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

_HIDDEN: Final = (
    *("._", ".ds_store", ".spotlight-v100", ".trash", ".fseventsd", ".temporaryitems", ".documentrevisions-v100"),
    *(".apdisk", ".snapshot", ".zfs", ".recycle", ".@__thumb", ".thumb", ".picasa"),
    *(".git", ".svn", ".stversions", ".stfolder", ".dropbox", ".directory", ".hidden", ".localized"),
)
"""How hidden files and folders begin, in lower case, that systems and programs keep: previews, folders of what was
deleted. A file that was deleted while a program wrote it (`.nfs…`, `.fuse_hidden…`) is none: it may be the newest."""

_MARKS: Final = frozenset(
    {
        *("done", "ready", "ok", "complete", "completed", "finished", "success", "end", "eof"),
        *("trigger", "trg", "flag", "sem", "mark", "marker", "lock", "lck", "keep", "gitkeep", "nomedia"),
    }
)
"""What empty files are called, or how they end, that programs put for each other."""


def may_be_on_its_way(name: str) -> bool:
    """Whether a hidden name may be that of a photograph, or of a folder of them, which a program copies here."""
    return name.startswith(".") and not name.casefold().startswith(_HIDDEN)


def is_system_litter(relative: Path) -> bool:
    """Whether a path below a folder of photographs is, or lies in, something that no person put there.

    Args:
        relative: the path from that folder, so that its own name and those above it do not count.
    """
    return any(part.startswith((".", "~$")) or part.casefold() in LITTER for part in relative.parts)


def is_marker(name: str) -> bool:
    """Whether an empty file of this name is a mark and no photograph to come: `done`, `op-7.ready`, `_SUCCESS`."""
    return name.rpartition(".")[2].strip("_").casefold() in _MARKS
