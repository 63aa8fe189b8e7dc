"""What tables call the kinds of splits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from db.schema.column_words import SplitKind

HEADS: Final[Mapping[SplitKind, str]] = {"plain": "plain splits", "grouped": "by insert"}
