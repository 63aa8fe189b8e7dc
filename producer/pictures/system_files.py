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
    *(".apdisk", ".snapshot", ".zfs", ".recycle", ".@__thumb", ".thumb", ".picasa", ".nfs", ".smbdelete"),
    *(".fuse_hidden", ".git", ".svn", ".stversions", ".stfolder", ".dropbox", ".directory", ".hidden", ".localized"),
)
"""How hidden files and folders begin, in lower case, that systems and programs keep: previews, and what was deleted."""


def may_be_on_its_way(name: str) -> bool:
    """Whether a hidden name may be that of a photograph, or of a folder of them, which a program copies here."""
    return name.startswith(".") and not name.casefold().startswith(_HIDDEN)


def is_system_litter(relative: Path) -> bool:
    """Whether a path below a folder of photographs is, or lies in, something that no person put there.

    Args:
        relative: the path from that folder, so that its own name and those above it do not count.
    """
    return any(part.startswith((".", "~$")) or part.casefold() in LITTER for part in relative.parts)
