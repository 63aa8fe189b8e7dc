"""The state of a worker, by what its judging processes report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection

from worker.monitoring.heartbeat import Heartbeat, LifeSign, span
from worker.monitoring.process_state import ProcessState
from worker.monitoring.reports import ModelsInUse, Report


class LineState(ProcessState):
    """The state of a worker, by what its judging processes report (`take`); `alive` names those that live."""

    def __init__(self, alive: Callable[[], Collection[int]] = lambda: [os.getpid()]):
        super().__init__()
        self.models = ModelsInUse()
        self._alive = alive
        self._in_hand: dict[int, tuple[int, float]] = {}
        self.of_no_known_head = 0

    def take(self, report: Report) -> None:
        """A process has begun or finished something."""
        now = time.monotonic()
        if report.in_hand:
            self._in_hand[report.pid] = report.in_hand, now
        else:
            self._in_hand.pop(report.pid, None)
        if report.finished:
            self.finished += report.finished
            self.finished_at = now
        if report.models is not None:
            self.use(report.models)

    def use(self, models: ModelsInUse) -> None:
        """These models judge from now on."""
        self.models = models

    @property
    def in_hand(self) -> int:
        """Captures under way; what a process had that died is none of them."""
        return sum(count for count, _ in self._held().values())

    def heartbeat(self) -> LifeSign:
        """All of it at this moment, as `worker.monitoring.heartbeat` writes it."""
        now = time.monotonic()
        held = self._held().values()
        return Heartbeat(
            state=self.phase,
            processes=len(self._alive()),
            model=self.models.champion,
            redis=self.is_connected(),
            finished=self.finished,
            last_finished_seconds=span(self.finished_at, now),
            in_hand=sum(count for count, _ in held),
            in_hand_seconds=span(min((since for _, since in held), default=None), now),
            of_no_known_head=self.of_no_known_head,
        )

    def _held(self) -> dict[int, tuple[int, float]]:
        alive = set(self._alive())
        for pid in self._in_hand.keys() - alive:
            self._in_hand.pop(pid, None)
        return dict(self._in_hand)
