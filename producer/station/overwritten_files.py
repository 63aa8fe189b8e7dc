"""Files that stay where they are when they were handed in, and are overwritten there by the next photograph.

Until a writer is done with it, such a file ends as the photograph before did, byte for byte, and that decodes to its
end. The noise of a camera never repeats itself, so what ends so is not finished.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from producer.station.submitted_files import HandedIn

_END: Final = 4096
_VALUES: Final = 32
"""Values of a byte that an end of a photograph has at least; one with fewer is drawn, or filled, and tells nothing."""


class OverwrittenFiles:
    """How each file ended that was handed in and stays; that is noted in the outbox, so a restart forgets none."""

    def __init__(self, handed_in: HandedIn) -> None:
        self._handed_in = handed_in
        self._known: set[str] = set()

    def doubt(self, relative: Path, image: bytes) -> str | None:
        """Why a file that holds `image` may not be written to its end yet; None where nothing says so."""
        whole, end = self._handed_in.ended(relative)
        if end != _end_of(image) or not end or end in self._known or whole == hashlib.sha256(image).hexdigest():
            return None
        return "it ends as the photograph before did: not written to its end yet"

    def remember(self, relative: Path, image: bytes) -> None:
        """Remember how a file ends that was handed in and stays; of an end that came again it is known that it does."""
        if self.doubt(relative, image) is not None:
            self._known.add(_end_of(image))
        self._handed_in.remember_end(relative, hashlib.sha256(image).hexdigest(), _end_of(image))


def _end_of(image: bytes) -> str:
    """What tells one end of a photograph from all others; nothing where it is too short, or drawn."""
    end = image[-_END:]
    return hashlib.sha256(end).hexdigest() if len(end) == _END and len(set(end)) >= _VALUES else ""
