"""Questions at scale: how long the answers of `insert-db` take among ten million verdicts, and among a million on
SQLite.

The questions are those that people ask: the newest of everything, of a machine, of one outcome, of something that does
not exist. They are drawn by a seed from the kinds in `benchmarks.question_kinds`; each is asked as the commands ask
it, in a reading scope of its own on a warm connection. A sample is the 95th percentile of `ASKS` asks. The database is
generated once and kept (`benchmarks.stored_plants`).

`python -m benchmarks.questions postgresql --verdicts 100000` is a short run; it prints the slowest kinds as well.
"""

from __future__ import annotations

import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import stored_plants
from benchmarks.percentiles import benchmarks, command, percentile, spread
from benchmarks.question_kinds import KINDS, Plant
from db.engine.database import Database

ASKS: Final = 200
"""How often a question is asked for one sample."""

WARM_UP: Final = 20
"""How many asks come before, so that connection, plans and upper pages of the indexes are there."""

TARGET_MS: Final = 50.0


def milliseconds(database: Database, question: str, seed: int, asks: int) -> list[tuple[str, float]]:
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


def p95s(subject: str, engine: str, verdicts: int, samples: int, folder: Path = stored_plants.PLANTS) -> list[float]:
    """`samples` times the 95th percentile of the question's milliseconds; each is printed with its slowest kinds."""
    measured = []
    with stored_plants.plant(engine, verdicts, folder) as url:
        database = Database(url)
        try:
            for seed in range(samples):
                taken = milliseconds(database, subject, seed, ASKS)
                milliseconds_taken = [value for _, value in taken]
                measured.append(percentile(milliseconds_taken, 0.95))
                print(f"  {subject}, {engine}, {verdicts:,} verdicts: {spread(milliseconds_taken)}", flush=True)
            print(f"  slowest kinds: {_slowest(taken)}", flush=True)
        finally:
            database.close()
    return measured


def _slowest(taken: Sequence[tuple[str, float]], most: int = 4) -> str:
    by_kind: dict[str, list[float]] = defaultdict(list)
    for kind, value in taken:
        by_kind[kind].append(value)
    medians = sorted(((median(values), kind) for kind, values in by_kind.items()), reverse=True)
    return ", ".join(f"{kind} {value:.1f} ms" for value, kind in medians[:most])


BENCHMARKS = benchmarks("query", "`{}` as people ask it,", KINDS, p95s, TARGET_MS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure some questions and return the exit code."""
    return command("benchmarks.questions", "question", KINDS, p95s, TARGET_MS, arguments)


if __name__ == "__main__":
    sys.exit(main())
