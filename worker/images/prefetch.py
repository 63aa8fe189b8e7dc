"""Reads and decodes photographs on all cores, a little ahead of the network that consumes them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def read_ahead(
    read: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[tuple[Item, Future[Result]]]:
    """Yield each of `items`, in order, with a future of what `read` returns or raises for it.

    Decoding releases the interpreter lock, so there is one thread a core. At most `ahead` results wait in memory, so
    that any number of items may be read. When the caller stops, reads that have begun are finished and no more are
    begun.
    """
    pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="read-ahead")
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(read, item)))
            if len(waiting) > ahead:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for _, future in waiting:
            future.cancel()
        pool.shutdown()
