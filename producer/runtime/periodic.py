"""Periodic work in a thread of its own, beside what the process does."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Final, Self

import structlog

log = structlog.get_logger()

STOP_TIMEOUT: Final = 5.0
"""Seconds that the end of the block waits for a turn that is under way; its thread does not hold up the process."""


class Periodic(ABC):
    """Takes a turn every so many seconds, from entering the block to its end; each kind of work is a subclass.

    A turn that fails is logged, once for each reason until one succeeds, and the next one comes as usual.
    """

    def __init__(
        self, every: float, *, name: str, failure: str, at_once: bool = False, woken: threading.Event | None = None
    ):
        """Describe the work; the block starts it.

        Args:
            every: seconds between two turns.
            name: of the thread.
            failure: how the log says that a turn has failed.
            at_once: whether the first turn is taken at the start, rather than `every` seconds later.
            woken: set by others when there is work, which has the next turn come at once.
        """
        self._every = every
        self._failure = failure
        self._at_once = at_once
        self._said: set[str] = set()
        self._stopped = False
        self._woken = woken or threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def turn(self) -> None:
        """Do the work once; whatever it raises is logged."""

    def stop(self) -> None:
        """Take no further turn; may be called from a turn."""
        self._stopped = True
        self._woken.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(STOP_TIMEOUT)

    def _run(self) -> None:
        if not self._at_once:
            self._woken.wait(self._every)
        while not self._stopped:
            self._woken.clear()
            self._take_turn()
            if not self._stopped:
                self._woken.wait(self._every)

    def _take_turn(self) -> None:
        try:
            self.turn()
        except Exception as error:  # noqa: BLE001 - this turn failed, whatever it was; the next one is soon
            problem = f"{type(error).__name__}: {error}"
            if problem not in self._said:
                self._said.add(problem)
                log.error(self._failure, problem=problem)
        else:
            self._said.clear()
