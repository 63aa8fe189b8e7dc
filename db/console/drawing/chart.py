"""Charts: where the lines, points and intervals of a few curves lie between two axes.

Colours, names and figures are the template's and the style sheet's, as with the head map.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from db.learning.evaluation_report import CurvePoint, Estimate, ModelFigures

WIDTH: Final = 480
HEIGHT: Final = 300
"""The size of a chart, in units of its own."""

LEFT: Final = 52
RIGHT: Final = WIDTH - 14
TOP: Final = 12
BOTTOM: Final = HEIGHT - 44
"""Where the axes are."""

_STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2)

Point = tuple[float, float]


@dataclass(frozen=True)
class Tick:
    """A named place of an axis."""

    at: float
    value: float


@dataclass(frozen=True)
class Curve:
    """One curve: what it is of, its line, and its dots, with an interval each where there are any."""

    word: str
    line: Markup
    dots: Sequence[Point]
    intervals: Markup


@dataclass(frozen=True)
class Chart:
    """The axes of a chart and its curves; `guide` is the line on which an ideal curve would lie, where there is one."""

    x: Sequence[Tick]
    y: Sequence[Tick]
    curves: Sequence[Curve]
    guide: Markup


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self) -> list[Tick]:
        """Five to ten round values, in whole percents."""
        step = next((step for step in _STEPS if (self.high - self.low) / step <= 8), _STEPS[-1])
        first, last = math.ceil(self.low / step - 1e-6), math.floor(self.high / step + 1e-6)
        return [Tick(self(number * step), number * step) for number in range(first, last + 1)]


def calibration(sides: Iterable[tuple[str, ModelFigures]]) -> Chart:
    """What share of the photographs with a probability of damage was damaged, for each model by its word."""
    x, y = _Scale(0, 1, LEFT, RIGHT), _Scale(0, 1, BOTTOM, TOP)
    curves = []
    for word, side in sides:
        points = [(x(part.probability), y(part.damaged)) for part in side.reliability]
        curves.append(Curve(word, _line(points), points, Markup("")))
    return Chart(x.ticks(), y.ticks(), curves, _line([(x(0), y(0)), (x(1), y(1))]))


def coverage(sides: Iterable[tuple[str, ModelFigures]]) -> Chart:
    """How accurate the answers are where only the surest share of the photographs is decided, for each model."""
    named = [(word, side.coverage) for word, side in sides]
    accuracies = [point.accuracy for _, points in named for point in points]
    x, y = _Scale(0, 1, LEFT, RIGHT), _Scale(_below(accuracies), 1, BOTTOM, TOP)
    curves = [
        Curve(word, _line([(x(point.share), y(point.accuracy)) for point in points]), (), Markup(""))
        for word, points in named
    ]
    return Chart(x.ticks(), y.ticks(), curves, Markup(""))


def learning(points: Sequence[CurvePoint]) -> Chart:
    """How accurate learning was with the first labels only; the x axis names the numbers that were tried."""
    accuracies = [point.balanced_accuracy for point in points]
    lows = [value for accuracy in accuracies for value in (accuracy.low, accuracy.mean) if value is not None]
    x, y = _Scale(0, 1.05 * points[-1].labels, LEFT, RIGHT), _Scale(_below(lows), 1, BOTTOM, TOP)
    dots = [(x(point.labels), y(point.balanced_accuracy.mean)) for point in points]
    intervals = "".join(
        f"M{x(point.labels):g} {y(point.balanced_accuracy.low):g}V{y(point.balanced_accuracy.high):g}"
        for point in points
        if point.balanced_accuracy.low is not None and point.balanced_accuracy.high is not None
    )
    curve = Curve("candidate", _line(dots), dots, Markup(intervals))  # noqa: S704 - drawn here, of numbers
    return Chart([Tick(x(point.labels), point.labels) for point in points], y.ticks(), [curve], Markup(""))


def whiskers(estimates: Sequence[Estimate | None], width: float = 120) -> list[Markup]:
    """Estimates side by side on one scale: of each a path, its interval and a bar across it at its mean."""
    limits = [(estimate.low, estimate.mean, estimate.high) for estimate in estimates if estimate is not None]
    known = [value for values in limits for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=1)
    scale = _Scale(low, high if high > low else low + 1, 4, width - 4)
    paths = []
    for estimate in estimates:
        path = ""
        if estimate is not None:
            path = f"M{scale(estimate.mean):g} 1v10"
            if estimate.low is not None and estimate.high is not None:
                path += f"M{scale(estimate.low):g} 6H{scale(estimate.high):g}"
        paths.append(Markup(path))  # noqa: S704 - drawn here, of numbers
    return paths


def _below(accuracies: Sequence[float]) -> float:
    """A round value below them all, at most that of guessing or of all but a few percents."""
    lowest = min(accuracies, default=0.5)
    return max(0.0, min(0.9, math.floor(lowest * 10) / 10))


def _line(points: Sequence[Point]) -> Markup:
    """The points joined, which is nothing where there is one."""
    if len(points) < 2:
        return Markup("")
    return Markup("M" + "L".join(f"{x:g} {y:g}" for x, y in points))  # noqa: S704 - drawn here, of numbers
