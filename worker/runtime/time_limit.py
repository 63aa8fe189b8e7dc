"""A time limit for work that nothing in this process can interrupt, such as a network that hangs."""

from __future__ import annotations

import faulthandler
import signal
from collections.abc import Iterator
from contextlib import contextmanager


def show_where_it_hung() -> None:
    """Have a process that `ends_after` ends write a traceback to standard error before; to be called in it once."""
    faulthandler.register(signal.SIGALRM, chain=True)


@contextmanager
def ends_after(seconds: float) -> Iterator[None]:
    """End this process where the block takes longer: by a signal, whatever holds the interpreter's lock.

    One block at a time. It costs no more than two system calls.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
