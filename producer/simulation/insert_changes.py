"""People who change the inserts of a simulated head after an answer: most at once, some late, some never."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from producer.simulation.head import SimulatedHead

LATE: Final = 0.15
"""The share of inserts that are changed one operation late."""

NEVER: Final = 0.05
"""The share of inserts that nobody changes, whatever is answered."""


class InsertChanges:
    """Who changes the inserts of one head; the same seed gives the same changes on the same answers."""

    def __init__(self, head: SimulatedHead, seed: int) -> None:
        self._head = head
        self._rng = np.random.default_rng([seed, 17])
        self._due: dict[int, int | None] = {}  # operations until each is changed, None: never

    def hear(self, replace: Iterable[int]) -> list[int]:
        """Take an answer, and return the pockets that get a new insert before the next operation."""
        self._due = {pocket: wait if wait is None else wait - 1 for pocket, wait in self._due.items()}
        for pocket in sorted(set(replace) - self._due.keys()):
            chance = self._rng.random()
            self._due[pocket] = None if chance < NEVER else int(chance < NEVER + LATE)
        changed = [pocket for pocket, wait in self._due.items() if wait is not None and wait <= 0]
        for pocket in changed:
            self._head.replace(pocket)
            del self._due[pocket]
        return sorted(changed)
