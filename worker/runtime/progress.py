"""How far long work is: what does the work calls a function, and a command shows it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how much of how much of it is."""


def silent(step: str, done: int, total: int) -> None:
    """The progress that nobody looks at."""
