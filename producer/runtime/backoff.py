"""Exponential back-off: longer and longer pauses between attempts that fail."""

from __future__ import annotations


class Backoff:
    """The pauses between attempts, each twice as long as the one before, up to a longest one."""

    def __init__(self, first: float, longest: float):
        """Begin with a pause of `first` seconds; none is longer than `longest`."""
        self._first = min(first, longest)
        self._longest = longest
        self._pause = self._first

    def next(self) -> float:
        """Seconds to the next attempt, after one more that failed."""
        pause, self._pause = self._pause, min(2 * self._pause, self._longest)
        return pause

    def reset(self) -> None:
        """An attempt succeeded: the next pause is the first one again."""
        self._pause = self._first
