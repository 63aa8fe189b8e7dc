"""Which captures the processes of one worker have in hand: known to all of them, and forgotten when one dies.

A lock on one byte of a file that all of them have open stands for a capture (fcntl(2)); the kernel drops it with the
process that holds it, however that one ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile

_PLACES = 2**62
"""Bytes of the file that stand for captures; none is ever written. What two captures share by chance, once in some
10¹⁷ pairs, costs the second one a delivery."""


class InHand:
    """Made before the fork, used by each child; a child has one thread."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the process lives
        self._held: set[str] = set()

    def take(self, capture: str) -> bool:
        """Whether this process has a capture in hand from now on, because no other one has.

        `capture` names it by all that it is of: what has its id and is of something else is another capture.
        """
        place = int.from_bytes(hashlib.blake2b(capture.encode(), digest_size=8).digest()) % _PLACES
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place, os.SEEK_SET)
        except BlockingIOError:
            return False
        self._held.add(capture)
        return True

    def release(self) -> None:
        """Let go of all that this process has in hand."""
        if self._held:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
            self._held.clear()
