"""People who change the inserts of a simulated head after an answer: most at once, some late, some for no answer.

Those go on until the head is serviced, or one pocket after the other would be left for good, and no life end any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from producer.simulation.head import SimulatedHead

LATE: Final = 0.15
"""The share of inserts that are changed one operation late."""

NEVER: Final = 0.05
"""The share of inserts that nobody changes, whatever is answered, until the head is serviced."""

SERVICED_AFTER: Final = (10, 20)
"""So many operations after the first answer, at least and at most, they are changed all the same."""


class SimulatedChanges:
    """Who changes the inserts of one head; the same seed gives the same changes on the same answers."""

    def __init__(self, head: SimulatedHead, seed: int) -> None:
        self._head = head
        self._rng = np.random.default_rng([seed, 17])
        self._due: dict[int, int] = {}  # operations until each is changed

    def hear(self, replace: Iterable[int]) -> list[int]:
        """Take an answer, and return the pockets that get a new insert before the next operation."""
        self._due = {pocket: wait - 1 for pocket, wait in self._due.items()}
        for pocket in sorted(set(replace) - self._due.keys()):
            self._due[pocket] = self._wait()
        changed = [pocket for pocket, wait in self._due.items() if wait <= 0]
        for pocket in changed:
            self._head.replace(pocket)
            del self._due[pocket]
        return sorted(changed)

    def _wait(self) -> int:
        chance = self._rng.random()
        if chance < NEVER:
            return int(self._rng.integers(*SERVICED_AFTER, endpoint=True))
        return int(chance < NEVER + LATE)
