from __future__ import annotations

from itertools import pairwise

from producer.delivery.outbox import LAST_RESEND
from producer.delivery.resend import FIRST_RESEND, resend_after


def test_the_last_is_sent_again_soon_and_ever_more_rarely_while_nothing_is_answered() -> None:
    sent_at = [0.0]
    while sent_at[-1] < 3000.0:
        sent_at.append(sent_at[-1] + resend_after(sent_at[-1]))
    assert sent_at[:8] == [0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0]
    assert {later - one for one, later in pairwise(sent_at[7:])} == {LAST_RESEND}


def test_a_clock_that_was_set_makes_the_wait_neither_long_nor_none() -> None:
    assert resend_after(-36_000.0) == FIRST_RESEND
    assert resend_after(1e9) == LAST_RESEND
