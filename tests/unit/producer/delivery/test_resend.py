from producer.delivery.resend import FIRST_RESEND, LAST_RESEND, resend_after


def test_a_clock_that_was_set_makes_the_wait_neither_long_nor_none() -> None:
    assert resend_after(-36_000.0) == FIRST_RESEND
    assert resend_after(1e9) == LAST_RESEND
