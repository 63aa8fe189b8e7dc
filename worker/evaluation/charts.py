"""The charts of an evaluation: confusion, ROC, calibration, risk-coverage, accuracy over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from db.schema.column_words import SplitKind
from producer.runtime.arrays import Int64Array
from worker.evaluation.cross_validation import CrossValidation
from worker.evaluation.drawing import GREY, PALETTE, Plot, tables
from worker.evaluation.pooled_predictions import SHORTEST, PooledPredictions, pool
from worker.models.calibration import BINS
from worker.models.costs import Costs
from worker.models.line_model import LINE_CLASSES
from worker.models.unsure_band import band

CrossValidations = Mapping[SplitKind, tuple[CrossValidation, CrossValidation | None]]

_POINTS = 400
"""Points of a curve that are drawn at most."""


def figures(
    assessments: CrossValidations, labels: Int64Array, captured: Sequence[datetime], costs: Costs
) -> dict[str, bytes]:
    """Return file name → PNG, for images with `labels` (n,), 1 for damaged, that were captured at `captured` (n).

    The candidate is drawn for plain and grouped splits, the champion where there is one, for the kind that decides:
    grouped where there are grouped splits.
    """
    series = _series(assessments)
    answers = {name: pool(assessment, labels) for name, assessment in series.items()}
    return curves(series, answers, costs) | {"accuracy_over_time.png": _over_time(answers, captured)}


def curves(
    series: Mapping[str, CrossValidation], answers: Mapping[str, PooledPredictions], costs: Costs
) -> dict[str, bytes]:
    """Return file name → PNG: confusion, ROC curve, calibration and what is decided, of each of `series` by its name.

    `answers` are the test predictions of each. There are colours for as many as `PALETTE` has.
    """
    return {
        "confusion.png": _confusion(series),
        "roc.png": _roc(series, answers),
        "calibration.png": _calibration(series, answers),
        "decided.png": _decided(answers, costs),
    }


def total_confusion(assessment: CrossValidation) -> Int64Array:
    """Return the confusion matrices (2, 2) of all splits added up."""
    return np.asarray(np.sum([split.scores.confusion for split in assessment.splits], axis=0), np.int64)


def _series(assessments: CrossValidations) -> dict[str, CrossValidation]:
    """The evaluations to draw, by their name in the legend."""
    candidates = {f"{kind} splits": candidate for kind, (candidate, _) in assessments.items()}
    counts: SplitKind = "grouped" if "grouped" in assessments else "plain"
    champion = assessments[counts][1]
    return candidates if champion is None else candidates | {f"champion, {counts}": champion}


def _confusion(series: Mapping[str, CrossValidation]) -> bytes:
    named = [(name, total_confusion(assessment).tolist()) for name, assessment in series.items()]
    return tables("Confusion, test images of all splits", named, LINE_CLASSES)


def _roc(series: Mapping[str, CrossValidation], answers: Mapping[str, PooledPredictions]) -> bytes:
    plot = Plot("ROC curve", "share of the intact inserts called damaged", "share of the damaged inserts found")
    plot.line([(0, 0), (1, 1)], GREY, "guessing", dashed=True)
    for colour, (name, predictions) in zip(PALETTE, answers.items(), strict=False):
        false, true = predictions.roc()
        area = np.mean(series[name].values("auc"))
        plot.line(list(zip(false.tolist(), true.tolist(), strict=True)), colour, f"{name}, area {area:.3f}")
    return plot.png()


def _calibration(series: Mapping[str, CrossValidation], answers: Mapping[str, PooledPredictions]) -> bytes:
    plot = Plot("Calibration", "probability of damage that was said", "share that was really damaged")
    name = next(reversed([name for name in answers if not name.startswith("champion")]))
    counts, _ = np.histogram(answers[name].probabilities, BINS, (0, 1))
    tallest = 0.25 / counts.max()
    plot.bars(
        [(number / BINS, (number + 1) / BINS, float(count * tallest)) for number, count in enumerate(counts)],
        "#d9e6ef",
        f"images, {name}",
    )
    plot.line([(0, 0), (1, 1)], GREY, "said as it is", dashed=True)
    for colour, (name, predictions) in zip(PALETTE, answers.items(), strict=False):
        points = [(bar.probability, bar.damaged) for bar in predictions.reliability()]
        error = np.mean(series[name].values("calibration_error"))
        plot.line(points, colour, f"{name}, error {error:.3f}")
        plot.points(points, colour)
    return plot.png("upper left")


def _decided(answers: Mapping[str, PooledPredictions], costs: Costs) -> bytes:
    curves = {name: predictions.risk_coverage_curve(band(costs)) for name, predictions in answers.items()}
    lowest = min(point.accuracy for curve in curves.values() for point in curve)
    bottom = min(0.9, float(np.floor(lowest * 10) / 10))
    plot = Plot(
        "What is decided without a person", "share of the images decided", "accuracy among them", y=(bottom, 1.0)
    )
    plot.line([(0, 0.99), (1, 0.99)], GREY, "99 %", dashed=True)
    for colour, (name, curve) in zip(PALETTE, curves.items(), strict=False):
        shown = np.unique(np.linspace(0, len(curve) - 1, _POINTS).round().astype(int))
        plot.line([(curve[place].coverage, curve[place].accuracy) for place in shown], colour, name)
    return plot.png("lower left")


def _over_time(answers: Mapping[str, PooledPredictions], captured: Sequence[datetime]) -> bytes:
    periods = {name: predictions.over_time(captured) for name, predictions in answers.items()}
    moments = [moment.timestamp() for parts in periods.values() for part in parts for moment in (part.start, part.end)]
    first, last = min(moments), max(moments)
    if last - first < SHORTEST:
        first, last = first - 43_200, last + 43_200
    form = "%d %b %Y" if last - first > 5 * 86_400 else "%d %b %H:%M"
    zone, span = captured[0].tzinfo, last - first
    ticks = [
        (at, datetime.fromtimestamp(at, zone).strftime(form))
        for at in np.linspace(first + 0.03 * span, last - 0.03 * span, 5).tolist()
    ]
    lowest = min(part.accuracy for parts in periods.values() for part in parts)
    plot = Plot(
        "Accuracy over time",
        "captured at (each point: the middle of a period)",
        "accuracy on the test images of the period",
        x=(first - 0.02 * span, last + 0.02 * span),
        y=(min(0.5, float(np.floor(lowest * 10) / 10)), 1.0),
        x_ticks=ticks,
    )
    for colour, (name, parts) in zip(PALETTE, periods.items(), strict=False):
        points = [((part.start.timestamp() + part.end.timestamp()) / 2, part.accuracy) for part in parts]
        plot.line(points, colour, name)
        plot.points(points, colour)
    return plot.png()
