"""Files that stay where they are when they were handed in, and are overwritten there by the next photograph.

Until a writer is done with it, such a file ends as the photograph before did, byte for byte, and that decodes to its
end. The noise of a camera never repeats itself, so what ends so is not finished.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Final

_END: Final = 4096
_VALUES: Final = 32
"""Values of a byte that an end of a photograph has at least; one with fewer is drawn, or filled, and tells nothing."""


class OverwrittenFiles:
    """How each file ended that was handed in and stays."""

    def __init__(self) -> None:
        self._before: dict[Path, tuple[bytes, bytes]] = {}
        self._known: set[bytes] = set()

    def doubt(self, path: Path, image: bytes) -> str | None:
        """Why a file that holds `image` may not be written to its end yet; None where nothing says so."""
        whole, end = self._before.get(path, (b"", b""))
        if end != _end_of(image) or not end or end in self._known or whole == hashlib.sha256(image).digest():
            return None
        return "it ends as the photograph before did: not written to its end yet"

    def remember(self, path: Path, image: bytes) -> None:
        """Remember how a file ends that was handed in and stays; of an end that came again it is known that it does."""
        if self.doubt(path, image) is not None:
            self._known.add(_end_of(image))
        self._before[path] = hashlib.sha256(image).digest(), _end_of(image)

    def keep(self, paths: Collection[Path]) -> None:
        """Forget all files but these."""
        self._before = {path: before for path, before in self._before.items() if path in paths}


def _end_of(image: bytes) -> bytes:
    """What tells one end of a photograph from all others; nothing where it is too short, or drawn."""
    end = image[-_END:]
    return hashlib.sha256(end).digest() if len(end) == _END and len(set(end)) >= _VALUES else b""
