"""What a path leads to that is no file. A pipe would be waited for, and a device read, for ever."""

from __future__ import annotations

import stat
from typing import Final

LINK: Final = "a symbolic link"
FOLDER: Final = "a folder"
PIPE: Final = "a pipe"
DEVICE: Final = "a socket or a device"


def no_file(mode: int) -> str | None:
    """What has this mode (`os.stat_result.st_mode`), in words; None where it is a regular file."""
    if stat.S_ISREG(mode):
        return None
    return {stat.S_IFLNK: LINK, stat.S_IFDIR: FOLDER, stat.S_IFIFO: PIPE}.get(stat.S_IFMT(mode), DEVICE)
