"""How large a message a broker takes: what it announces (MQTT 5), else what it ends connections at."""

from __future__ import annotations

import time
from typing import Final

BELIEVED_FOR: Final = 600.0
"""Seconds after which a size is tried again at which connections ended: the broker may be mended."""

HEADER: Final = 32
"""Bytes of a message beside its topic and its text, at most."""


class SizeLimit:
    """What one broker takes, over its connections. Each connection uses it with its own lock held."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.announced: int | None = None
        """By the connection that stands."""
        self._suspected: int | None = None
        self._learnt: tuple[int, float] | None = None

    def ended_at(self, size: int) -> bool:
        """A connection ended because of a message, of which the largest that waited was so large; twice it is sure."""
        is_sure = size == self._suspected
        if is_sure:
            self._learnt = size, time.monotonic()
        self._suspected = size
        return is_sure

    def problem(self, topic: str, text: str) -> str | None:
        """Why the broker does not take a text at a topic; None where it does, as far as is known."""
        size = size_of(topic, text)
        if self.announced is not None and size + HEADER > self.announced:
            return f"it has {size} bytes, and the broker takes {self.announced}"
        if self._learnt is not None and time.monotonic() - self._learnt[1] < BELIEVED_FOR and size >= self._learnt[0]:
            return f"it has {size} bytes, and the broker ends the connection at {self._learnt[0]}"
        return None


def size_of(topic: str, text: str) -> int:
    """The bytes of a topic and a text."""
    return len(topic.encode()) + len(text.encode())
