"""Progress of long work: the work calls a function, which a command shows as a bar."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the name of the step, how much of it is done, and how much there is (0: not known)."""


def silent(step: str, done: int, total: int) -> None:
    """The progress of work that shows none."""
