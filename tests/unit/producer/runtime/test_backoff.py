from __future__ import annotations

from producer.runtime.backoff import Backoff


def test_pauses_grow_to_the_longest_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(0.5, 3)
    assert [backoff.next() for _ in range(5)] == [0.5, 1, 2, 3, 3]
    backoff.reset()
    assert [backoff.next(), backoff.next()] == [0.5, 1]


def test_no_pause_is_longer_than_the_longest() -> None:
    assert Backoff(2, 0.1).next() == 0.1
