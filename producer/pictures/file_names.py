"""What a file's name says: whether it is a photograph, whether it can be read, and of which pocket."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from producer.pictures.image_formats import READABLE

MAX_POCKET: Final = 999
"""The largest number of a pocket in an event."""

# fmt: off
UNREADABLE: Final = frozenset({
    # telephones and the web
    ".heic", ".heif", ".hif", ".avif", ".webp", ".gif", ".jxl", ".jp2", ".j2k", ".jpf", ".jpx", ".jxr", ".svg",
    # what a camera's sensor saw, before anything is made of it
    ".raw", ".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".raf", ".rw2", ".rwl",
    ".pef", ".srw", ".x3f", ".3fr", ".fff", ".iiq", ".mos", ".kdc", ".dcr",
    # programs and laboratories
    ".pcx", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".exr", ".hdr", ".sgi", ".psd", ".fits", ".fit", ".dcm",
}) - READABLE
"""Endings, in lower case, of pictures that the worker does not decode."""

COMPANIONS: Final = frozenset({".xmp", ".aae", ".thm", ".pp3", ".dop", ".md5", ".sha256", ".sig", ".lnk", ".url"})
"""Endings of what belongs to one file, or leads to one: `5.thm` says that there is a photograph of pocket 5."""

SIDECARS: Final = COMPANIONS | {
    ".txt", ".log", ".md", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".html", ".pdf",
    ".db",
}
"""Endings of what stands beside photographs and is none."""
_EARLIER: Final = frozenset({".bak", ".old", ".orig", ".backup", ".prev"})
"""Endings of what was there before."""

_BESIDE: Final = SIDECARS | _EARLIER | {".mp4", ".mov", ".avi", ".mkv", ".wav", ".mp3", ".m4a", ".zip"}
"""Endings of what may stand beside a pocket's photograph and is no newer one: earlier ones, films, sounds."""
# fmt: on

UNFINISHED: Final = frozenset({".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".download", ".swp"})
"""Endings of files that a program still writes, behind the ending that they will have."""

_MARKS: Final = re.compile(r"[.~#$]+")
"""What programs set apart with what they put before and behind a file's name."""


def ending_of(name: str) -> str:
    """A file's last ending in lower case, like `.jpg`; empty where it has none."""
    return PurePath(name).suffix.rstrip(" .").lower()


def is_picture(name: str) -> bool:
    """Whether a name is a picture's, of a kind that can be read or not."""
    return ending_of(name) in READABLE | UNREADABLE


def pocket_of(name: str) -> int | None:
    """The pocket that a file is named by: `7.jpg` and `007.png` are of pocket 7; None where it is no such name."""
    stem = PurePath(name).stem
    if not (stem.isascii() and stem.isdigit()):
        return None
    digits = stem.lstrip("0")
    return int(digits) if 0 < len(digits) <= len(str(MAX_POCKET)) else None


def implied_pocket(name: str) -> int | None:
    """The pocket that a name tells of which is no photograph's own.

    Like 3 in `3.jpg.part`, rsync's `.3.jpg.Xa81Qz`, ProFTPD's `.in.3.jpg.`, Syncthing's `~syncthing~3.jpg.tmp`, Emacs'
    `#3.jpg#` and Office's `~$3.jpg`; in `3.thm` and `3.jpg.txt` too, which stand beside a `3.jpg`. What macOS puts
    there is `._3.jpg`, of which no part is a pocket.
    """
    if is_picture(name) and not name.startswith((".", "~$")):
        return None
    if ending_of(name) in SIDECARS:
        stem = PurePath(name).stem
        beside = ending_of(name) in COMPANIONS or is_picture(stem)
        return pocket_of(stem) if beside and not stem.startswith(".") else None
    if (pocket := pocket_of(name.partition(".")[0])) is not None:
        return pocket
    parts = _MARKS.split(name)
    for at, part in reversed(list(enumerate(parts))):
        if (
            any(is_picture(f"{part}.{ending}") for ending in parts[at + 1 :])
            and (pocket := pocket_of(part)) is not None
        ):
            return pocket
    return None


def may_become_newest(name: str) -> bool:
    """Whether a file that tells of a pocket may be its newest photograph, on its way: no earlier one, no video.

    There is no end of the endings that copying programs give, so all count but those of what is known, and what
    editors write beside a file that is open.
    """
    if name.startswith("."):
        return True
    return not (is_earlier(name) or ending_of(name) in _BESIDE)


def is_earlier(name: str) -> bool:
    """Whether a name is that of what was there before, or of what an editor keeps beside a file that is open."""
    return name.endswith("~") or name.startswith(("~$", "#")) or ending_of(name) in _EARLIER
