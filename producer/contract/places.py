"""What names a place of the line: a head in its machine, with an operation or a pocket."""

from __future__ import annotations

from typing import NamedTuple

HeadPlace = tuple[str, str]
"""A machine and a head."""

OperationPlace = tuple[str, str, str]
"""A machine, a head and an operation."""


class PocketPlace(NamedTuple):
    """Where a pocket is."""

    machine: str
    head: str
    pocket: int
