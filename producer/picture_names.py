"""What a file's name says: a photograph of which kind, and of which pocket."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

MAX_POCKET: Final = 999
"""The largest number of a pocket in an event."""

READABLE: Final = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".tif", ".tiff"})
"""Endings, in lower case, of what the worker can decode."""


def pocket_of(name: str) -> int | None:
    """The pocket that a file is named by, like ``7.jpg`` or ``007.png``; None when its stem is no pocket's number."""
    stem = PurePath(name).stem
    if not (stem.isascii() and stem.isdigit()):
        return None
    return number if 1 <= (number := int(stem[-9:])) <= MAX_POCKET else None
