"""Which captures travel together: what is due, divided evenly into messages."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, TypeVar

DEFAULT_GROUP: Final = 8
"""The most captures in one message. A message costs a worker more than half of what a capture does: among eight that is
little, and a head of thirty is still four messages."""

SPREAD: Final = 4
"""Into how many messages a few captures are divided, so that a small head is not the work of one process alone."""

T = TypeVar("T")
K = TypeVar("K")


def in_messages(due: Sequence[T], most: int) -> list[Sequence[T]]:
    """Divide what is due into messages of at most `most`, in its order; their sizes differ by one at most.

    They are as few as hold it all, but not fewer than `SPREAD`, or than there are captures. What is due alone goes
    alone, at once.
    """
    count = max(math.ceil(len(due) / most), min(len(due), SPREAD))
    ends = [len(due) * number // count for number in range(count + 1)] if count else []
    return [due[start:end] for start, end in pairwise(ends)]


def grouped(due: Sequence[T], key: Callable[[T], K], most: int) -> list[Sequence[T]]:
    """Divide what is due into a message for each key, in the order of the first of each; into more above `most`."""
    messages: dict[K, list[T]] = defaultdict(list)
    for waiting in due:
        messages[key(waiting)].append(waiting)
    return [of_key[first : first + most] for of_key in messages.values() for first in range(0, len(of_key), most)]
