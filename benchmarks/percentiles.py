"""Percentiles of how long something takes among very many verdicts, on each engine: what its benchmarks and its command
have in common. The database is generated once and kept (`benchmarks.stored_plants`).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final, Protocol

from benchmarks import stored_plants
from benchmarks.measure import Benchmark

VERDICTS: Final = {"postgresql": 10_000_000, "sqlite": 1_000_000}
"""Among how many verdicts each engine is asked."""


class P95s(Protocol):
    """How a subject is measured."""

    def __call__(self, subject: str, engine: str, verdicts: int, samples: int, folder: Path = ...) -> list[float]:
        """Measure `samples` times the 95th percentile of a subject's milliseconds, and print how they spread."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of all does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values: Sequence[float]) -> str:
    """Median, 95th percentile and the longest of some milliseconds, in words."""
    p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, longest {max(values):.1f} ms"


def benchmarks(prefix: str, sentence: str, subjects: Collection[str], p95s: P95s, target: float) -> list[Benchmark]:
    """The benchmark `PREFIX_SUBJECT_ENGINE_p95_ms` of each subject; `sentence` begins its description."""
    return [
        Benchmark(
            name=f"{prefix}_{subject}_{engine}_p95_ms",
            sentence=f"{sentence.format(subject)} among {verdicts:,} verdicts on {engine}, 95th percentile",
            unit="ms",
            target=target,
            at_least=False,
            measure=partial(p95s, subject, engine, verdicts),
            samples=3,
        )
        for engine, verdicts in VERDICTS.items()
        for subject in subjects
    ]


def command(
    module: str, kind: str, subjects: Collection[str], p95s: P95s, target: float, arguments: Sequence[str] | None
) -> int:
    """Measure some subjects, with another number of verdicts than the benchmarks if asked to.

    Args:
        module: whose command it is, for `python -m`.
        kind: what a subject is called: question, page.
        subjects: those that there are.
        p95s: measures one.
        target: milliseconds that the median of its samples may take.
        arguments: of the command line; None: those of this process.

    Returns:
        The exit code: 1 where a target is missed.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=f"How long each {kind} takes at scale. `python -m benchmarks.run` measures the same with as many "
        "verdicts as its targets are for, and keeps the figures.",
        epilog=f"example, a minute: python -m {module} postgresql --verdicts 100000. The database is kept in "
        f"{stored_plants.PLANTS}; remove it when it is in the way.",
    )
    parser.add_argument("engine", choices=VERDICTS)
    parser.add_argument(
        "subjects", nargs="*", metavar=kind.upper(), help=f"of {', '.join(subjects)}; all when none is named"
    )
    parser.add_argument("--verdicts", type=int, help="how many [10,000,000 on postgresql, 1,000,000 on sqlite]")
    parser.add_argument("--samples", type=int, default=3, help="how often [3]")
    parser.add_argument(
        "--folder", type=Path, default=stored_plants.PLANTS, help=f"where it is kept [{stored_plants.PLANTS}]"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.subjects) - set(subjects):
        parser.error(f"no {kind} {', '.join(sorted(unknown))}; there are: {', '.join(subjects)}")
    if options.samples < 1 or (options.verdicts is not None and options.verdicts < 1):
        parser.error("--samples and --verdicts must be at least 1")
    verdicts = options.verdicts or VERDICTS[options.engine]
    missed = False
    for subject in options.subjects or subjects:
        p95 = median(p95s(subject, options.engine, verdicts, options.samples, options.folder))
        missed |= p95 > target
        print(f"{subject}: p95 {p95:.1f} ms, {'MISSED' if p95 > target else 'met'} ≤ {target:g} ms", flush=True)
    return int(missed)
