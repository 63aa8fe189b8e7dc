"""A benchmark: a named figure, measured several times and compared with a target."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """`measure(samples)` returns that many independent measurements of one figure, in `unit`.

    A figure without a `target` promises nothing: it is what this machine does, for `insert-worker plan`.
    """

    name: str
    sentence: str
    """What is measured, for the person who reads the result."""
    unit: str
    target: float | None
    at_least: bool
    """Whether the target is met from below (`value >= target`) or from above."""
    measure: Callable[[int], Sequence[float]]
    samples: int = 5


@dataclass(frozen=True)
class Measured:
    """The median of the samples, their lowest and highest, and the target they are held against."""

    value: float
    low: float
    high: float
    target: float | None
    at_least: bool
    unit: str

    @property
    def met(self) -> bool:
        """Whether the median meets the target; a figure without one always does."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target


def measured(benchmark: Benchmark, samples: int | None = None) -> Measured:
    """Run `benchmark` and sum it up."""
    values = benchmark.measure(samples or benchmark.samples)
    return Measured(
        statistics.median(values), min(values), max(values), benchmark.target, benchmark.at_least, benchmark.unit
    )
