"""Numbers of things, as an English sentence has them."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return how many of what: `1 file`, `2 files`, `1,000 files`; `plural` where it does not end in `s`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
