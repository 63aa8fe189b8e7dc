"""Where file systems are mounted on this computer, and of what kind they are (`proc(5)`); only Linux tells."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_OF_THIS_PROCESS: Final = Path("/proc/self")


@dataclass(frozen=True)
class Mount:
    """The folder `root` of a file system of the kind `kind`, on the device `device`, mounted at `point`."""

    id: str
    device: int
    root: Path
    point: Path
    kind: str


def mounts() -> Iterator[Mount]:
    """All that this process sees, those of later above those of before; none where the system does not tell."""
    try:
        lines = os.fsdecode((_OF_THIS_PROCESS / "mountinfo").read_bytes()).splitlines()
    except OSError:
        return
    for line in lines:
        number, _, device, root, point, *more = line.split(" ")
        major, _, minor = device.partition(":")
        kind = more[more.index("-") + 1]
        yield Mount(number, os.makedev(int(major), int(minor)), _path(root), _path(point), kind)


def mount_of(descriptor: int) -> Mount | None:
    """That through which a file was opened; None where the system does not tell."""
    try:
        words = (_OF_THIS_PROCESS / "fdinfo" / str(descriptor)).read_text("ascii").split()
    except OSError:
        return None
    number = words[words.index("mnt_id:") + 1] if "mnt_id:" in words else None
    return next((mount for mount in mounts() if mount.id == number), None)


def other_names(folder: Path) -> Iterator[Path]:
    """What a folder is called where its file system, or a part of it, is mounted once more; a link is followed."""
    folder = folder.resolve()
    seen = list(mounts())
    of_it = [mount for mount in seen if folder.is_relative_to(mount.point)]
    if not of_it:
        return
    through = max(reversed(of_it), key=lambda mount: len(mount.point.parts))  # of two at one point the later is seen
    inside = through.root / folder.relative_to(through.point)
    for mount in seen:
        if mount.device == through.device and mount.id != through.id and inside.is_relative_to(mount.root):
            yield mount.point / inside.relative_to(mount.root)


def _path(text: str) -> Path:
    """A path as the kernel writes it: blanks and the like as `\\040`."""
    return Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text))
