"""`python -m benchmarks.checkout_comparison CHECKOUT`: this line beside another checkout's, in processor time.

Two workers without a network, each with a Redis and a SQLite database of its own, carry the same captures in turn,
while the other is idle. So what else the machine does is much the same for both, and the ratio of processor times says
something on a busy machine too; captures per second do on an idle one only. Both checkouts need the same schema.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.line import Line, running_with
from benchmarks.line_rate import slope, used_seconds
from producer.delivery.grouping import DEFAULT_GROUP

_WORKER = "benchmarks.worker_without_network"


def carried(line: Line, station: str, captures: int, group: int) -> tuple[float, float]:
    """Milliseconds of processor time a capture of worker and Redis, and captures per second."""
    with line.standstill():
        line.publish(station, captures, group)
    used = used_seconds(line)
    before = used()
    times = line.wait(station, captures)
    return 1000 * (used() - before) / captures, slope(times[: -group * line.settings.processes])


def _worker_of(checkout: Path) -> list[str]:
    """The command of a checkout's worker without a network, in whatever folder it runs."""
    run = f"import runpy, sys; sys.path.insert(0, {str(checkout)!r}); runpy.run_module({_WORKER!r}, None, '__main__')"
    return [sys.executable, "-c", run]


def main() -> int:
    """Print each round, and the medians with their ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkout_comparison", description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--captures", type=int, default=4_000)
    parser.add_argument("--group", type=int, default=DEFAULT_GROUP)
    options = parser.parse_args()
    folders = {"that": options.checkout.resolve(), "this": Path.cwd()}
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in folders}
    with ExitStack() as running:
        lines = {name: running.enter_context(running_with(_worker_of(folder))) for name, folder in folders.items()}
        for line in lines.values():
            carried(line, "warm-up", options.captures // 5, options.group)
        for round_ in range(options.rounds):
            for name in sorted(lines, reverse=bool(round_ % 2)):
                figures[name].append(carried(lines[name], f"station-{round_}", options.captures, options.group))
                print(f"  {name}: {figures[name][-1][0]:.3f} ms a capture, {figures[name][-1][1]:.0f}/s", flush=True)
    for what, unit in enumerate(("ms of processor time a capture", "captures/s")):
        that, this = (statistics.median(values[what] for values in figures[name]) for name in ("that", "this"))
        print(f"{unit}: {that:.3f} in {folders['that']}, {this:.3f} here, ratio {this / that:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
