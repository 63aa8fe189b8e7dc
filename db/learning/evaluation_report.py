"""What an evaluation's report says, for who shows it: one model's figures and beside them those of the champion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from db.schema.column_words import SPLIT_KINDS, SplitKind

SchemaVersion = Literal[1]
"""Of the reports that can be read."""

SCHEMA_VERSION: Final[SchemaVersion] = 1
"""Of `evaluation.json`; increment when a field changes its meaning or is removed."""


class ReportPart(BaseModel):
    """A part of a report; what a newer report has beside it is left out."""

    model_config = ConfigDict(frozen=True)


class Estimate(ReportPart):
    """A mean over the splits with its 95 % interval, whose limits are None where one cannot be told."""

    mean: float
    low: float | None
    high: float | None


class Share(ReportPart):
    """The `share` of the photographs that can be decided, at an `accuracy`."""

    share: float
    accuracy: float


class Decided(ReportPart):
    """The share that can be decided at this accuracy."""

    accuracy: float
    share: Estimate


class Bucket(ReportPart):
    """`count` test predictions whose mean probability was `probability`, and the share of them that was `damaged`."""

    count: int
    probability: float
    damaged: float


class Wrong(ReportPart):
    """A photograph that was misclassified in `wrong` of the `tested` splits."""

    capture_id: UUID
    label: str
    machine: str
    tested: int
    wrong: int


class ModelFigures(ReportPart):
    """One model on all splits of a kind. `confusion` has a row for each true class and a column for each answer.

    `coverage` has the accuracy at each share that is decided, the surest first.
    """

    splits: int
    scores: Mapping[str, Estimate | None]
    confusion: Sequence[Sequence[int]]
    decided_at: Decided
    coverage: Sequence[Share] = Field(alias="trades")
    reliability: Sequence[Bucket]
    wrong: Sequence[Wrong]


class Pair(ReportPart):
    """The candidate and, on the same splits, the champion of that time where there was one."""

    candidate: ModelFigures
    champion: ModelFigures | None


class Decision(ReportPart):
    """Whether the rule promotes it; `reasons` are all its sentences, `against` those against it."""

    promote: bool
    reasons: Sequence[str]
    against: Sequence[str]


class CurvePoint(ReportPart):
    """With so many labels learning had this balanced accuracy."""

    labels: int
    balanced_accuracy: Estimate


class EvaluationReport(ReportPart):
    """A whole report: `evaluations` by the kind of split, and `problems` says why a kind is missing."""

    schema_version: SchemaVersion
    images: int
    inserts: int
    classes: Sequence[str]
    champion: str | None
    decision: Decision | None
    learning_curve: Sequence[CurvePoint] = ()
    evaluations: Mapping[SplitKind, Pair]
    problems: Mapping[SplitKind, str] = Field(default_factory=dict)

    @property
    def kind(self) -> SplitKind | None:
        """The kind of split that counts: by insert where there are such splits, since plain ones flatter."""
        return next((kind for kind in reversed(SPLIT_KINDS) if kind in self.evaluations), None)


class Worth(ReportPart):
    """What `more` labels are worth: the balanced accuracy that they would add, if the curve goes on as so far.

    `unseen`: that is less than half of the last interval, so that no evaluation would tell it from chance.
    """

    more: int
    gain: float
    unseen: bool


def read(report: Mapping[str, Any]) -> EvaluationReport:
    """Read a report.

    Raises:
        ValueError: it has other fields than those of `SchemaVersion`.
    """
    return EvaluationReport.model_validate(report)


def worth_of(curve: Sequence[CurvePoint], more: int = 100) -> Worth | None:
    """What the next labels are worth by the learning curve; None where it has fewer than two points.

    The error falls as a power of the number of labels (Cortes et al. 1994, "Learning curves: asymptotic values and
    rate of convergence"), whose exponent is fitted to the points by least squares of the logarithms. A curve that does
    not rise promises nothing.
    """
    if len({point.labels for point in curve}) < 2:
        return None
    last = curve[-1]
    half = None if last.balanced_accuracy.low is None else last.balanced_accuracy.mean - last.balanced_accuracy.low
    # An error of none at all has no logarithm: less than half a photograph is not known either.
    points = [
        (math.log(point.labels), math.log(max(1 - point.balanced_accuracy.mean, 0.5 / point.labels))) for point in curve
    ]
    x_mean, y_mean = (sum(values) / len(points) for values in zip(*points, strict=True))
    slope = sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points)
    left = (last.labels + more) / last.labels
    gain = (1 - last.balanced_accuracy.mean) * (1 - left ** min(slope, 0.0))
    return Worth(more=more, gain=gain, unseen=half is not None and gain < half)
