"""The digest of a file that may be larger than memory, and how people write its beginning."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

_BEGINNING: Final = re.compile(r"[0-9a-f]{6,64}", re.ASCII | re.IGNORECASE)


def digest_beginning(name: str) -> str | None:
    """The beginning of a digest that a name may be (six digits or more); None if it is none."""
    return name.lower() if _BEGINNING.fullmatch(name) else None


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
