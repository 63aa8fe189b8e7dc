"""What a path leads to that is no file. A pipe would be waited for, and a device read, for ever."""

from __future__ import annotations

import stat


def no_file(mode: int) -> str | None:
    """What has this mode (`os.stat_result.st_mode`), in words; None where it is a regular file."""
    if stat.S_ISREG(mode):
        return None
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
    return kinds.get(stat.S_IFMT(mode), "a socket or a device")
