"""A time limit for work that nothing in this process can interrupt, such as a network that hangs."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ends_after(seconds: float) -> Iterator[None]:
    """End this process, with a traceback on standard error, where the block takes longer; one block at a time.

    A thread in C sees to it, so it works whatever holds the interpreter's lock.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
