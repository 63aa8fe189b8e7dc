"""`python -m benchmarks.plan_outage`: how long a real line takes to catch up after an outage, against the plan.

One station with its outbox submits captures at an even rate, while a worker with insertnet is stopped (SIGSTOP) and
then continued. The line has caught up when the queue has less than a second's captures.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from benchmarks import bare
from benchmarks.line import Line, running
from benchmarks.line_rate import captures_per_second
from benchmarks.materials import photographs
from producer.contract.event import INSPECT_QUEUE, new_id
from producer.delivery.outbox import Outbox
from producer.delivery.redis_connection import connect
from producer.station.station import Station
from worker.planning.outage import Outage, after_outage

AHEAD = 10.0
"""Seconds of the even rate before the outage."""


def caught_up(line: Line, per_second: float, outage: float, most: float) -> tuple[int, float, float]:
    """Messages in the queue at the outage's end, seconds from then until it is empty, and captures sent again.

    Raises:
        TimeoutError: it is not within `most` seconds.
    """
    done = threading.Event()

    def hand_in() -> None:
        start, number = time.monotonic(), 0
        while not done.is_set():
            image = photographs()[number % 32]
            station.submit(image, machine="m", head="h", pocket=1, operation="op", check_id=new_id(), check_size=1)
            number += 1
            done.wait(max(0.0, start + number / per_second - time.monotonic()))

    outbox = Outbox(line.settings.data / "outage.db")
    queue: Any = connect(line.redis_url, timeout=30.0)
    with closing(outbox), closing(queue), Station("outage", line.images, outbox, line.redis_url) as station:
        thread = threading.Thread(target=hand_in)
        thread.start()
        try:
            time.sleep(AHEAD)
            with line.standstill():
                time.sleep(outage)
                waiting = queue.llen(INSPECT_QUEUE)
            end = time.monotonic()
            while queue.llen(INSPECT_QUEUE) > per_second:
                if time.monotonic() - end > most:
                    raise TimeoutError(f"{queue.llen(INSPECT_QUEUE)} events wait after {most:.0f} s")
                time.sleep(0.2)
            resent = station.metrics.registry.get_sample_value("inserts_station_resent_total", {"station": "outage"})
            return int(waiting), time.monotonic() - end, resent or 0.0
        finally:
            done.set()
            thread.join()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one outage, print it beside the plan's, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan_outage", description="An outage of the worker.")
    parser.add_argument("--busy", type=float, default=0.6, help="share of what the worker carries that comes in [0.6]")
    parser.add_argument("--outage", type=float, default=600.0, help="seconds [600]")
    options = parser.parse_args(arguments)
    network = bare.load("insertnet", None)
    with running("insertnet", None, network.feature_size, network.fingerprint) as line:
        captures_per_second(line, "warm-up", 100)
        rate = captures_per_second(line, "full", 800)
        per_second = options.busy * rate
        planned = after_outage(options.outage, per_second, options.busy, every=1 / per_second)
        waiting, seconds, copies = caught_up(line, per_second, options.outage, most=5 * options.outage)
    print(f"{rate:.0f} captures/s are judged, {per_second:.0f} come in")
    print(f"messages in the queue at the end of the outage: {waiting}, captures planned: {planned.queue:.0f}")
    print(f"caught up after {seconds:.0f} s, planned {_shown(planned)}; sent again meanwhile: {copies:.0f} captures")
    return 0


def _shown(planned: Outage) -> str:
    return "never" if planned.caught_up_after is None else f"{planned.caught_up_after:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
