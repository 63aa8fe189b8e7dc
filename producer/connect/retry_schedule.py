"""When a sink, MQTT or webhook, is tried again: with an event that it refused, and when it is away."""

from __future__ import annotations

import random
from typing import Final

LONGEST_PAUSE: Final = 60.0
"""The longest time, in seconds, between two attempts to reach a sink that is away."""

SCHEDULE: Final = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds to the second, third … tenth attempt at an event that is refused; then it is given up, after some three days.
Standard Webhooks 1.0 has these steps."""


def next_attempt(attempts: int, now: float) -> float | None:
    """When an event is tried again that was refused `attempts` times; None: no more. Up to a tenth later, by chance."""
    return None if attempts > len(SCHEDULE) else now + SCHEDULE[attempts - 1] * random.uniform(1.0, 1.1)  # noqa: S311
