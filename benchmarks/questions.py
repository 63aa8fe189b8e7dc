"""Questions at scale: how long the answers of `insert-db` take among ten million verdicts, and among a million on
SQLite.

The questions are those that people ask: the newest of everything, of a machine, of one outcome, of something that does
not exist. They are drawn by a seed from the kinds in `benchmarks.asked`; each is asked as the commands ask it, in a
reading scope of its own on a warm connection. A sample is the 95th percentile of `ASKS` asks. The database is generated
once and kept (`benchmarks.kept`).

`python -m benchmarks.questions postgresql --verdicts 100000` is a short run; it prints the slowest kinds as well.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import kept
from benchmarks.asked import KINDS, Plant
from benchmarks.measure import Benchmark
from db.engine.database import Database

VERDICTS: Final = {"postgresql": 10_000_000, "sqlite": 1_000_000}
"""How many verdicts each engine is asked among."""

ASKS: Final = 200
"""How often a question is asked for one sample."""

WARM_UP: Final = 20
"""How many asks come before, so that connection, plans and upper pages of the indexes are there."""

TARGET_MS: Final = 50.0


def milliseconds(database: Database, question: str, seed: int, asks: int = ASKS) -> list[tuple[str, float]]:
    """Ask a question that often in kinds drawn by the seed; of each ask its kind and how long the answer took."""
    with database.reading() as session:
        plant = Plant.of(session)
    rng = random.Random(seed)  # noqa: S311 - questions, not secrets
    kinds = KINDS[question]
    drawn = [*rng.choices(list(kinds), k=WARM_UP), *(list(kinds)[number % len(kinds)] for number in range(asks))]
    taken = []
    for kind in drawn:
        ask = kinds[kind](plant, rng)
        start = time.perf_counter()
        with database.reading() as session:
            ask(session)
        taken.append((kind, 1000 * (time.perf_counter() - start)))
    return taken[WARM_UP:]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of all does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def p95s(question: str, engine: str, verdicts: int, samples: int, folder: Path = kept.PLANTS) -> list[float]:
    """`samples` times the 95th percentile of the question's milliseconds; each is printed with its slowest kinds."""
    measured = []
    with kept.plant(engine, verdicts, folder) as url:
        database = Database(url)
        try:
            for seed in range(samples):
                taken = milliseconds(database, question, seed)
                milliseconds_taken = [value for _, value in taken]
                measured.append(percentile(milliseconds_taken, 0.95))
                print(f"  {question}, {engine}, {verdicts:,} verdicts: {spread(milliseconds_taken)}", flush=True)
            print(f"  slowest kinds: {_slowest(taken)}", flush=True)
        finally:
            database.close()
    return measured


def spread(values: Sequence[float]) -> str:
    """Median, 95th percentile and the longest of some milliseconds, in words."""
    p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, longest {max(values):.1f} ms"


def _slowest(taken: Sequence[tuple[str, float]], most: int = 4) -> str:
    by_kind: dict[str, list[float]] = defaultdict(list)
    for kind, value in taken:
        by_kind[kind].append(value)
    medians = sorted(((median(values), kind) for kind, values in by_kind.items()), reverse=True)
    return ", ".join(f"{kind} {value:.1f} ms" for value, kind in medians[:most])


BENCHMARKS = tuple(
    Benchmark(
        name=f"query_{question}_{engine}_p95_ms",
        sentence=f"`{question}` as people ask it, among {verdicts:,} verdicts on {engine}, the 95th percentile",
        unit="ms",
        target=TARGET_MS,
        at_least=False,
        measure=partial(p95s, question, engine, verdicts),
        samples=3,
    )
    for engine, verdicts in VERDICTS.items()
    for question in KINDS
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure with another number of verdicts than the benchmarks do, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.questions",
        description="How long the questions of insert-db take; python -m benchmarks.run query_verdicts_sqlite_p95_ms … "
        "measures it among ten million verdicts on PostgreSQL and one million on SQLite and keeps the figures.",
        epilog="example, a minute: python -m benchmarks.questions postgresql --verdicts 100000. The database is kept "
        f"in {kept.PLANTS}; remove it when it is in the way.",
    )
    parser.add_argument("engine", choices=VERDICTS)
    parser.add_argument(
        "questions", nargs="*", metavar="QUESTION", help=f"of {', '.join(KINDS)}; all when none is named"
    )
    parser.add_argument("--verdicts", type=int, help="how many [10,000,000 on postgresql, 1,000,000 on sqlite]")
    parser.add_argument("--samples", type=int, default=3, help=f"how often, with {ASKS} asks each [3]")
    parser.add_argument("--folder", type=Path, default=kept.PLANTS, help=f"where it is kept [{kept.PLANTS}]")
    options = parser.parse_args(arguments)
    if unknown := set(options.questions) - set(KINDS):
        parser.error(f"no question {', '.join(sorted(unknown))}; there are: {', '.join(KINDS)}")
    if options.samples < 1 or (options.verdicts is not None and options.verdicts < 1):
        parser.error("--samples and --verdicts must be at least 1")
    verdicts = options.verdicts or VERDICTS[options.engine]
    missed = False
    for question in options.questions or KINDS:
        p95 = median(p95s(question, options.engine, verdicts, options.samples, options.folder))
        missed |= p95 > TARGET_MS
        print(f"{question}: p95 {p95:.1f} ms, {'MISSED' if p95 > TARGET_MS else 'met'} ≤ {TARGET_MS:g} ms", flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
