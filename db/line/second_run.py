"""Which photographs belong to one run of an operation, by when they arrived.

If a gateway gave a second run the `check_id` of the first, the second would be answered at once: its first photograph
would complete the check, together with the old photographs. Within one run a pocket is photographed again only if its
photograph was spoilt, and soon afterwards. So a pause shows that a second run has begun (decision 29).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

A_RUN: Final = timedelta(minutes=15)
"""A longer pause is not within a run: stations close the check of a watched folder after ten minutes."""

ANSWERED: Final = timedelta(minutes=2)
"""This long after its last photograph a complete check has its answer: an intact pocket needs no new photograph."""


class Times(NamedTuple):
    """When a photograph was taken, as far as is known (`db.line.capture_order`), and when it came."""

    ordered_at: datetime
    received_at: datetime

    def apart(self, other: Times) -> timedelta:
        """How long lies between two: what waited in an outbox comes at once, and a clock may say nothing of it."""
        return max(abs(self.ordered_at - other.ordered_at), abs(self.received_at - other.received_at))


class RunPhotograph(NamedTuple):
    """One photograph of a check: of which pocket, from which file, when, and whether it shows an intact insert."""

    pocket: int
    image: str
    times: Times
    intact: bool


class SecondRun(NamedTuple):
    """A pocket was photographed again, in another run: `old` are the pockets that were not."""

    first: RunPhotograph
    again: RunPhotograph
    old: Collection[int]


def second_run(size: int, photographs: Iterable[RunPhotograph]) -> SecondRun | None:
    """What shows that a check's photographs are of two runs; None where its newest are of one.

    Args:
        size: how many pockets the check has.
        photographs: of the check, in their order.
    """
    of_run: dict[int, RunPhotograph] = {}
    before: dict[int, RunPhotograph] = {}
    begun: tuple[RunPhotograph, RunPhotograph] | None = None
    last: RunPhotograph | None = None
    for photo in photographs:
        earlier = of_run.get(photo.pocket)
        if last is not None and earlier is not None:
            pause = last.times.apart(photo.times)
            answered = len(of_run) >= size and pause > ANSWERED
            if pause > A_RUN or (answered and earlier.intact and earlier.image != photo.image):
                before, of_run, begun = before | of_run, {}, (earlier, photo)
        last = photo
        if photo.pocket not in before or before[photo.pocket].image != photo.image:  # the old file is no new photograph
            of_run[photo.pocket] = photo
    old = before.keys() - of_run.keys()
    return SecondRun(*begun, old) if begun is not None and old else None
