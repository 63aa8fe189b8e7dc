"""When a sink is tried again: with an event that it refused, and when it is away."""

from __future__ import annotations

import random
from typing import Final

LONGEST_PAUSE: Final = 60.0
"""The longest time, in seconds, between two attempts to reach a sink that is away."""

SCHEDULE: Final = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds to the second, third … tenth attempt at an event that is refused; then it is given up, after some three days.
Standard Webhooks 1.0 has these steps."""

LONGEST_STEP: Final = 1.1 * SCHEDULE[-1]
"""Seconds beyond which no attempt lies ahead."""

MISCONFIGURED_PAUSE: Final = 30.0
"""Seconds to the next attempt at what a system refuses because of how it is set up, and not because of the event."""


def next_attempt(attempts: int, now: float, pause: float | None = None) -> float | None:
    """When an event is tried again that was refused `attempts` times; None: no more. Up to a tenth later, by chance.

    Args:
        attempts: how often it was tried.
        now: in seconds since the epoch.
        pause: the seconds to every attempt, without an end; None: by `SCHEDULE`.
    """
    if pause is None and attempts > len(SCHEDULE):
        return None
    return now + (SCHEDULE[attempts - 1] if pause is None else pause) * random.uniform(1.0, 1.1)  # noqa: S311
