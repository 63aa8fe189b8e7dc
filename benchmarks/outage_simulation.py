"""`python -m benchmarks.outage_simulation`: how a plant catches up after its workers were away, in simulated time.

The stations are real in what matters: their outboxes, and the rule by which they send again. The queue and the workers
are simulated: processes that take the messages in their order, judge each capture once, and answer at the end of each
message. What they have in hand when the outage begins is lost, as with workers that are killed.
"""

from __future__ import annotations

import argparse
import heapq
import math
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measure import Benchmark
from producer.contract.event import CaptureEvent, new_id
from producer.delivery.grouping import DEFAULT_GROUP
from producer.delivery.outbox import Outbox, Waiting
from producer.delivery.outbox_sender import send_due
from producer.delivery.resend import OVERTAKEN_AFTER

AFTERWARDS = 20.0
"""Seconds of the simulation after the plant has caught up: what was lost has come by then."""


@dataclass(frozen=True)
class Plant:
    """Stations that hand in a head each, one after another, and processes that judge what they send."""

    stations: int
    inserts: int
    every: float
    """Seconds between two heads of one station."""
    processes: int
    busy: float
    """The share of their time that the processes need for it."""
    repeat: float
    """What a copy of a capture that is judged already costs, over judging one."""

    @property
    def capture_seconds(self) -> float:
        """What one process takes to judge one capture."""
        return self.busy * self.processes * self.every / (self.stations * self.inserts)


@dataclass(frozen=True)
class Recovery:
    """What became of an outage."""

    caught_up_after: float | None
    """Seconds from its end until nothing waits in the queue; None where that never came."""
    captures: int
    copies: int
    """How often a capture was sent again."""
    longest: float
    """Seconds from hand-in to answer, of the capture that waited longest."""


class Simulation:
    """One outage of one plant; all times are seconds since the beginning."""

    def __init__(self, plant: Plant, folder: Path, calm: float, outage: float, give_up: float):
        self.plant, self.calm, self.back, self.give_up = plant, calm, calm + outage, calm + outage + give_up
        self.outboxes = [Outbox(folder / f"{number}.db") for number in range(plant.stations)]
        self.now = 0.0
        self.queue: deque[list[tuple[int, str]]] = deque()
        self.judged: set[str] = set()
        self.handed_in: dict[str, float] = {}
        self.free = plant.processes
        self.copies, self.longest = 0, 0.0
        self._looks_at = [0.0] * plant.stations
        self._moments: list[tuple[float, int, str, Any]] = []
        self._number = 0

    def run(self) -> Recovery:
        """Until the queue is empty after the outage and everything was answered, or it is given up."""
        plant, caught_up = self.plant, None
        for station in range(plant.stations):
            self._at(plant.every * (station + 0.5) / plant.stations, "head", station)
        self._at(self.back, "workers", None)
        while self._moments[0][0] < (self.give_up if caught_up is None else self.back + caught_up + AFTERWARDS):
            self.now, _, what, about = heapq.heappop(self._moments)
            getattr(self, f"_{what}")(about)
            self._take()
            if caught_up is None and self.now >= self.back and not self.queue and self.free:
                caught_up = self.now - self.back
        return Recovery(caught_up, len(self.handed_in), self.copies, self.longest)

    def _at(self, when: float, what: str, about: Any) -> None:
        self._number += 1
        heapq.heappush(self._moments, (when, self._number, what, about))

    def _head(self, station: int) -> None:
        for pocket in range(1, self.plant.inserts + 1):
            event = _event(station, pocket)
            self.handed_in[str(event.capture_id)] = self.now
            self.outboxes[station].add(event, self.now)
        self._send(station)
        self._at(self.now + self.plant.every, "head", station)

    def _send(self, station: int) -> None:
        def push(message: Sequence[Waiting]) -> None:
            self.copies += sum(entry.attempts > 0 for entry in message)
            self.queue.append([(station, str(entry.event.capture_id)) for entry in message])

        outbox = self.outboxes[station]
        while send_due(outbox, DEFAULT_GROUP, push, clock=lambda: self.now)[0]:
            pass
        next_due = outbox.next_due()
        if next_due is not None and not self.now < self._looks_at[station] <= next_due:
            self._looks_at[station] = next_due
            self._at(next_due, "send", station)

    def _workers(self, _: None) -> None:
        self.free = self.plant.processes

    def _take(self) -> None:
        while self.queue and self.free and not self.calm <= self.now < self.back:
            message = self.queue.popleft()
            self.free -= 1
            again = sum(capture in self.judged for _, capture in message)
            cost = self.plant.capture_seconds * (len(message) - again + self.plant.repeat * again)
            self._at(self.now + cost, "answer", message)

    def _answer(self, message: list[tuple[int, str]]) -> None:
        if self.calm <= self.now < self.back:
            return  # killed with it in hand
        self.free += 1
        captures = [capture for _, capture in message]
        self.longest = max([self.longest, *(self.now - self.handed_in[c] for c in captures if c not in self.judged)])
        self.judged.update(captures)
        station = message[0][0]
        self.outboxes[station].confirm(captures, self.now, self.now + OVERTAKEN_AFTER)
        self._send(station)


def recovery(plant: Plant, outage: float, *, calm: float = 30.0, give_up_after: float = 10.0) -> Recovery:
    """What becomes of an outage of so many seconds; it is given up after `give_up_after` times as many."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        simulation = Simulation(plant, Path(folder), calm, outage, give_up_after * outage)
        for outbox in simulation.outboxes:
            opened.enter_context(closing(outbox))
        return simulation.run()


def _event(station: int, pocket: int) -> CaptureEvent:
    capture = new_id()
    return CaptureEvent.from_message(
        {
            "schema_version": 2,
            "capture_id": str(capture),
            "captured_at": "2026-11-22T10:00:00Z",
            "station": f"station-{station}",
            "machine": "m",
            "head": "h",
            "pocket": pocket,
            "operation": "op",
            "check_id": str(capture),
            "check_size": 999,
            "image": f"station-{station}/{capture}.jpg",
            "image_sha256": "0" * 64,
        }
    )


PLANTS = (Plant(1, 1, 0.2, 2, 0.6, 0.35), Plant(50, 30, 300.0, 2, 0.6, 0.35), Plant(150, 1, 30.0, 2, 0.6, 0.35))
"""One busy station, fifty with a head now and then, and many with one capture at a time; all at 60 % load."""

OUTAGE = 600.0


def least(plant: Plant, outage: float) -> float:
    """The least possible seconds from an outage's end until it is caught up with: without a single copy."""
    return outage * plant.busy / (1 - plant.busy)


def ratios(samples: int) -> list[float]:
    """`samples` times, in the worst of `PLANTS`, how long an outage is caught up with over the least possible."""
    return [max(_over_least(plant, OUTAGE) for plant in PLANTS) for _ in range(samples)]


def _over_least(plant: Plant, outage: float) -> float:
    found = recovery(plant, outage)
    took = math.inf if found.caught_up_after is None else found.caught_up_after
    print(f"  {_told(plant, found)}", flush=True)
    return took / least(plant, outage)


def _told(plant: Plant, found: Recovery) -> str:
    after = "never" if found.caught_up_after is None else f"after {found.caught_up_after:.0f} s"
    return (
        f"{plant.stations} stations, {plant.inserts} inserts each {plant.every:g} s: caught up {after}, "
        f"{found.captures} captures, {found.copies} copies, the longest wait {found.longest:.0f} s"
    )


BENCHMARKS = (
    Benchmark(
        name="catch_up",
        sentence=f"time to drain an outage of {OUTAGE:g} s at 60 % load, over the least possible; simulated, with real "
        "outboxes",
        unit="times the least",
        target=1.5,
        at_least=False,
        measure=ratios,
        samples=1,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate one outage for several plants, print what became of it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outage_simulation", description="An outage of workers.")
    parser.add_argument("--busy", type=float, default=0.6, help="share of their time that the workers need [0.6]")
    parser.add_argument("--outage", type=float, default=OUTAGE, help=f"seconds [{OUTAGE:g}]")
    parser.add_argument("--repeat", type=float, default=0.35, help="what a copy costs, over judging a capture [0.35]")
    options = parser.parse_args(arguments)
    plants = [replace(plant, busy=options.busy, repeat=options.repeat) for plant in PLANTS]
    print(f"the least possible: caught up after {least(plants[0], options.outage):.0f} s")
    for plant in plants:
        print(_told(plant, recovery(plant, options.outage)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
