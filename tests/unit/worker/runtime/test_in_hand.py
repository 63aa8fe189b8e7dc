"""With real processes: what one has in hand no other gets, until it lets go or dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from worker.runtime.in_hand import InHand


def in_a_child(do: Callable[[], bool]) -> bool:
    """What `do` says in a child."""
    child = os.fork()
    if child == 0:
        os._exit(10 if do() else 20)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 10


def held_by_a_child(in_hand: InHand, capture: str) -> int:
    """A child that holds the capture until it is killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"y" if in_hand.take(capture) else b"n")
        signal.pause()
    assert os.read(reading, 1) == b"y"
    return child


def test_one_process_at_a_time_has_a_capture_in_hand() -> None:
    in_hand, (capture, other) = InHand(), ("a capture", "another")
    assert in_hand.take(capture)
    assert in_hand.take(capture), "its own"
    assert not in_a_child(lambda: in_hand.take(capture))
    assert in_a_child(lambda: in_hand.take(other))
    in_hand.release()
    assert in_a_child(lambda: in_hand.take(capture))


def test_what_a_killed_process_had_is_free_again() -> None:
    in_hand, capture = InHand(), "a capture"
    child = held_by_a_child(in_hand, capture)
    assert not in_hand.take(capture)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert in_hand.take(capture)
