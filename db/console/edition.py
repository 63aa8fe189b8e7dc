"""Which edition of its pages a console has: one that stays open while the console is upgraded is of that before."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_FOLDERS: Final = ("static", "templates", "translations")


@cache
def edition() -> str:
    """A name that is another one once any template, text, script or style of the pages is."""
    of_all = hashlib.sha256()
    for file in sorted(file for folder in _FOLDERS for file in (_HERE / folder).rglob("*") if file.is_file()):
        of_all.update(f"{file.relative_to(_HERE)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return of_all.hexdigest()[:12]
