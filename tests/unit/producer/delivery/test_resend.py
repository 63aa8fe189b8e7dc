from __future__ import annotations

from producer.delivery.outbox import LAST_RESEND
from producer.delivery.resend import FIRST_RESEND, resend_after


def test_resends_come_in_seconds_first_and_then_back_off() -> None:
    pauses = [resend_after(attempt) for attempt in range(1, 40)]
    assert pauses[0] == FIRST_RESEND
    assert pauses == sorted(pauses)
    assert pauses[1] == 2 * FIRST_RESEND
    assert pauses[-1] == LAST_RESEND
