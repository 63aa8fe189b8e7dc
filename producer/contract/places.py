"""What names a place of the line: a head in its machine, with an operation or a pocket."""

from __future__ import annotations

HeadPlace = tuple[str, str]
"""A machine and a head."""

OperationPlace = tuple[str, str, str]
"""A machine, a head and an operation."""

PocketPlace = tuple[str, str, int]
"""A machine, a head and a pocket."""
