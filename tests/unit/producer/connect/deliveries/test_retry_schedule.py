"""The steps of attempts at an event that is refused."""

from __future__ import annotations

from producer.connect.deliveries.retry_schedule import MISCONFIGURED_PAUSE, SCHEDULE, next_attempt


def test_ten_attempts_over_some_three_days_and_then_none() -> None:
    waits = [next_attempt(attempts, 0.0) for attempts in range(1, 10)]
    assert all(least <= wait <= 1.1 * least for wait, least in zip(waits, SCHEDULE, strict=True) if wait is not None)
    assert None not in waits
    assert next_attempt(10, 0.0) is None
    forever = next_attempt(1000, 0.0, MISCONFIGURED_PAUSE)
    assert forever is not None
    assert MISCONFIGURED_PAUSE <= forever <= 60
    assert 3 * 86_400 < sum(SCHEDULE) < 4 * 86_400
