"""How long a real line takes to catch up after an outage of its workers, over the least possible and by the plan.

One station with its outbox hands in heads at an even rate, while the worker is stopped and then started again. The
worker has one process: the other cores are for the station and Redis. The line has caught up when nothing waits in the
queue. `python -m benchmarks.plan_outage --outage 600` is a long run of what `make bench` shortens.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from benchmarks.line import HEAD, Line, running
from benchmarks.line_rate import captures_per_second, warm_up
from benchmarks.materials import photographs
from benchmarks.measure import Benchmark
from benchmarks.networks import network
from producer.contract.event import INSPECT_QUEUE, new_id
from producer.delivery.outbox import Outbox
from producer.delivery.redis_connection import connect
from producer.station.station import Station
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.planning.outage import Outage, after_outage

BUSY = 0.6
OUTAGE = 60.0
"""Seconds of the outage of `make bench`."""

AHEAD = 10.0
"""Seconds of the even rate before the outage."""

FULL = 1_000
"""Captures of a full queue, by which the worker's rate is measured."""


@dataclass(frozen=True)
class Recovery:
    """What became of one outage."""

    messages: int
    """In the queue at its end."""
    seconds: float
    """From its end until the queue is empty."""
    copies: float
    """Captures that were sent again meanwhile."""


def recovery(line: Line, name: str, per_second: float, outage: float, most: float) -> Recovery:
    """Have a station of that name hand in heads, and the worker be away for so many seconds.

    Raises:
        TimeoutError: the queue is not empty within `most` seconds.
    """
    done = threading.Event()

    def hand_in() -> None:
        start, heads = time.monotonic(), 0
        while not done.wait(max(0.0, start + heads * HEAD / per_second - time.monotonic())):
            check, heads = new_id(), heads + 1
            for pocket in range(1, HEAD + 1):
                station.submit(
                    photographs()[pocket % 32],
                    machine="m",
                    head="h",
                    pocket=pocket,
                    operation="op",
                    check_id=check,
                    check_size=HEAD,
                )

    outbox = Outbox(line.settings.data / f"{name}.db")
    queue: Any = connect(line.redis_url, timeout=30.0)
    with closing(outbox), closing(queue), Station(name, line.images, outbox, line.redis_url) as station:
        thread = threading.Thread(target=hand_in)
        thread.start()
        try:
            time.sleep(AHEAD)
            with line.outage():
                time.sleep(outage)
                waiting = queue.llen(INSPECT_QUEUE)
            end = time.monotonic()
            while messages := queue.llen(INSPECT_QUEUE):
                if time.monotonic() - end > most:
                    raise TimeoutError(f"{messages} messages wait after {most:.0f} s")
                time.sleep(0.05)
            seconds = time.monotonic() - end
            resent = station.metrics.registry.get_sample_value("inserts_station_resent_total", {"station": name})
            return Recovery(int(waiting), seconds, resent or 0.0)
        finally:
            done.set()
            thread.join()


def measured(line: Line, name: str, busy: float, outage: float) -> float:
    """Measure the worker's rate and then one outage; print it, and return it over the least possible."""
    rate = captures_per_second(line, f"{name}-full", FULL)
    per_second = busy * rate
    planned = after_outage(outage, per_second, busy, every=HEAD / per_second)
    found = recovery(line, name, per_second, outage, most=max(60.0, 10 * outage))
    least = outage * busy / (1 - busy)
    print(f"  {rate:.0f} captures/s are judged, {per_second:.0f} come in; {found.messages} messages at the end")
    print(
        f"  caught up after {found.seconds:.0f} s, planned {_shown(planned)}, at least {least:.0f} s; "
        f"{found.copies:.0f} captures sent again",
        flush=True,
    )
    return found.seconds / least


def ratios(samples: int, outage: float = OUTAGE, busy: float = BUSY) -> list[float]:
    """`samples` times how long a real line takes to catch up, over the least possible."""
    with running(network(DEFAULT_BACKBONE), processes=1) as line:
        warm_up(line)
        return [measured(line, f"station-{sample}", busy, outage) for sample in range(samples)]


def _shown(planned: Outage) -> str:
    return "never" if planned.caught_up_after is None else f"{planned.caught_up_after:.0f} s"


BENCHMARKS = (
    Benchmark(
        name="catch_up_line",
        sentence=f"time to drain an outage of {OUTAGE:g} s at {BUSY:.0%} load, over the least possible; a real line",
        unit="times the least",
        target=1.5,
        at_least=False,
        measure=ratios,
        samples=1,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one outage, print it beside the plan's, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan_outage", description="An outage of the worker.")
    parser.add_argument("--busy", type=float, default=BUSY, help=f"share of what the worker carries [{BUSY}]")
    parser.add_argument("--outage", type=float, default=600.0, help="seconds [600]")
    options = parser.parse_args(arguments)
    (ratio,) = ratios(1, options.outage, options.busy)
    print(f"{ratio:.2f} times the least possible")
    return 0


if __name__ == "__main__":
    sys.exit(main())
