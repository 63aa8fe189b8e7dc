"""How long a session of the console lasts.

A module of its own, so that the settings load no database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

IDLE_HOURS: Final = 8.0
"""Hours after which an unused session ends, where `INSERTS_CONSOLE_IDLE_HOURS` says nothing else."""

SESSION_HOURS: Final = 24.0
"""Hours after which every session ends, where `INSERTS_CONSOLE_SESSION_HOURS` says nothing else."""


@dataclass(frozen=True)
class Limits:
    """How long a session lasts: unused, and at most."""

    idle: timedelta
    longest: timedelta
