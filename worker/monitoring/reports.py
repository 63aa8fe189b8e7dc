"""What the judging processes tell their parent: what they have begun and finished, and what was counted meanwhile.

Reports travel as datagrams over a socket that is made before the fork. One that cannot be sent costs no capture: a
number is missing from the metrics then, which is logged.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self

import structlog

log = structlog.get_logger()

MAX_BYTES: Final = 200_000
"""Of one report at most; one about a hundred captures has some 20,000."""

SEND_TIMEOUT: Final = 1.0
"""Seconds that a child waits for a parent that does not read."""


@dataclass(frozen=True)
class ModelsInUse:
    """The models that a process judges by; `refused`: the promoted one is not among them because it cannot be used."""

    champion: str | None = None
    shadow: str | None = None
    refused: bool = False


@dataclass(frozen=True)
class Report:
    """`pid` has so many captures in hand from now on; since its last report it `finished` some, and counted `counts`:
    a method of `worker.monitoring.metrics.LineMetrics` each, with its arguments."""

    pid: int
    in_hand: int
    finished: int = 0
    counts: Sequence[tuple[str, Sequence[Any]]] = ()
    models: ModelsInUse | None = None


class Reports:
    """The way from the children to the parent; made in the parent, before the fork."""

    def __init__(self) -> None:
        self._receiving, self._sending = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sending.settimeout(SEND_TIMEOUT)

    def send(self, report: Report) -> None:
        """Send a report; called in a child."""
        try:
            # Not `asdict`, which copies every count first: it took longer than the rest of a report.
            fields = vars(report) | {"models": report.models and vars(report.models)}
            self._sending.send(json.dumps(fields).encode())
        except OSError as error:
            log.warning("a report did not reach the parent", problem=str(error))

    def receive(self) -> Report | None:
        """Wait for the next report; None when no more will come. Called in the parent."""
        data = self._receiving.recv(MAX_BYTES)
        if not data:
            return None
        fields = json.loads(data)
        models = fields.pop("models")
        return Report(**fields, models=models and ModelsInUse(**models))

    def end(self) -> None:
        """Have `receive` say that no more will come."""
        self._sending.send(b"")


class Reader:
    """Hands every report to a function, in a thread of the parent's, from entering the block to its end."""

    def __init__(self, reports: Reports, take: Callable[[Report], None]):
        self._reports = reports
        self._take = take
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._reports.end()
        self._thread.join(SEND_TIMEOUT)

    def _run(self) -> None:
        while (report := self._reports.receive()) is not None:
            self._take(report)


class ChildMetrics:
    """What a child counts: kept until the next report takes it (`worker.monitoring.metrics.LineMetrics`)."""

    def __init__(self) -> None:
        self._counts: list[tuple[str, Sequence[Any]]] = []

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        """Time the block as this stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._counts.append(("took", (stage, time.perf_counter() - began)))

    def group(self, captures: int) -> None:
        """Count a message of so many captures."""
        self._counts.append(("group", (captures,)))

    def judged(self, outcome: str, seconds: float, station: str) -> None:
        """Count a verdict that was sent to its station, so many seconds after the photograph."""
        self._counts.append(("judged", (outcome, seconds, station)))

    def answered_again(self) -> None:
        """Count a capture that came again with its verdict there."""
        self._counts.append(("answered_again", ()))

    def wrong_clock(self, error: timedelta) -> None:
        """Count a capture whose station's clock was so far ahead, or below zero behind."""
        self._counts.append(("clock_off", (error.total_seconds(),)))

    def fault(self, reason: str) -> None:
        """Count a capture that ended as a fault."""
        self._counts.append(("fault", (reason,)))

    def take(self) -> list[tuple[str, Sequence[Any]]]:
        """What was counted since the last time."""
        counts, self._counts = self._counts, []
        return counts


class Reporter:
    """Reports what one child does."""

    def __init__(self, reports: Reports, metrics: ChildMetrics, models: Callable[[], ModelsInUse]):
        self._reports = reports
        self._metrics = metrics
        self._models = models

    @contextmanager
    def message(self, captures: int) -> Iterator[None]:
        """Report that so many captures are in hand during the block, and then what became of them."""
        self._reports.send(Report(os.getpid(), captures))
        try:
            yield
        finally:
            counts = self._metrics.take()
            finished = sum(name in ("judged", "answered_again", "fault") for name, _ in counts)
            self._reports.send(Report(os.getpid(), 0, finished, counts, self._models()))
