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


def is_system_litter(relative: Path) -> bool:
    """Whether a path below a folder of photographs is, or lies in, something that no person put there.

    Args:
        relative: the path from that folder, so that its own name and those above it do not count.
    """
    return any(part.startswith((".", "~$")) or part.casefold() in LITTER for part in relative.parts)
