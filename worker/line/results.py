"""The results of a message's captures, and the answers for their stations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from db.line.checks import Check
from db.line.verdicts import Verdict
from producer.contract.answers import CheckAnswer, FaultAnswer, Remaining, VerdictAnswer
from producer.contract.event import CaptureEvent
from producer.contract.plant_news import Hold
from worker.line.faults import CaptureFault
from worker.line.mapping import check_answer, verdict_answer
from worker.models.line_model import Judgement


@dataclass(frozen=True)
class Ended:
    """What a message has committed: the verdicts that count, in the order of those to keep, the checks that are
    finished now, and what the line knew `at` that moment against their heads that these do not say."""

    verdicts: list[Verdict] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    at: float = field(default_factory=time.monotonic)


@dataclass
class Results:
    """The captures of a message: to be committed with it, answered again, recorded as faults before, or sent back."""

    judged: list[tuple[CaptureEvent, Judgement]] = field(default_factory=list)
    again: list[tuple[CaptureEvent, Verdict]] = field(default_factory=list)
    faults: list[CaptureFault] = field(default_factory=list)
    recorded: list[CaptureFault] = field(default_factory=list)
    back: list[bytes] = field(default_factory=list)

    @property
    def checks(self) -> dict[UUID, str]:
        """The checks that may be finished by these, and the station of each."""
        checks = {event.check_id: event.station for event, _ in (*self.judged, *self.again)}
        return checks | {fault.check_id: station for station, fault in self._faults_of_stations() if fault.check_id}

    @property
    def checks_again(self) -> set[UUID]:
        """Those of these checks that have nothing new."""
        new = {event.check_id for event, _ in self.judged} | {fault.check_id for _, fault in self._faults_of_stations()}
        return {event.check_id for event, _ in self.again} - new

    def kept(self, ended: Ended) -> Iterator[tuple[CaptureEvent, Verdict]]:
        """What was judged, with the verdicts that count."""
        return ((event, verdict) for (event, _), verdict in zip(self.judged, ended.verdicts, strict=True))

    def answers(
        self, ended: Ended, life: Callable[[CaptureEvent, Verdict], Remaining | None]
    ) -> list[tuple[str, VerdictAnswer | FaultAnswer | CheckAnswer]]:
        """The answers for the stations, in order, once everything is on disk: verdicts, faults, then finished checks.

        Args:
            ended: what was committed.
            life: how long the insert that a verdict is of still lasts, where that is known.
        """
        answers: list[tuple[str, VerdictAnswer | FaultAnswer | CheckAnswer]] = [
            (event.station, verdict_answer(event, verdict, life(event, verdict)))
            for event, verdict in (*self.kept(ended), *self.again)
        ]
        answers += [(station, fault.answer()) for station, fault in self._faults_of_stations()]
        stations = self.checks
        return answers + [(stations[check.check_id], check_answer(check)) for check in ended.checks]

    def _faults_of_stations(self) -> list[tuple[str, CaptureFault]]:
        """Those whose station is known, with it."""
        faults = (*self.faults, *self.recorded)
        return [(fault.station, fault) for fault in faults if fault.station is not None]
