"""The report of an evaluation: one folder with JSON for programs, the lab's results file, and charts for people."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from db.learning.evaluation_report import SCHEMA_VERSION
from db.learning.reviews import Labelled
from db.schema.column_words import SplitKind
from producer.files.durable_folders import replaced_folder
from producer.runtime.arrays import Int64Array
from worker.evaluation.assessed_rows import assessed_rows
from worker.evaluation.charts import figures, total_confusion
from worker.evaluation.cross_validation import CrossValidation
from worker.evaluation.learning_curve import CurvePoint
from worker.evaluation.pooled_predictions import PooledPredictions, pool
from worker.evaluation.promotion_rule import Decision, Newest
from worker.evaluation.scores import Interval, Scores
from worker.models.candidate import binary
from worker.models.costs import Costs
from worker.models.line_model import LINE_CLASSES
from worker.models.unsure_band import band

REPORT_FILE: Final = "evaluation.json"

ACCURACY: Final = 0.99
"""The accuracy at which coverage is reported."""

SCORES: Final = tuple(field.name for field in fields(Scores) if field.name not in ("images", "confusion"))

_CURVE_POINTS = 200
"""Points of the risk-coverage curve that the JSON has at most."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All measurements of one way of learning, and of the champion beside it where there is one.

    `items` (n) are the images in the order of the rows, without the unusable ones; `assessments` is what
    `worker.evaluation.cross_validation.cross_validate` returns, and `problems` says why a kind is missing. `candidate`
    and `champion` are ids of models, where there are any.

    Raises:
        ValueError: the parts do not fit together.
    """

    name: str
    at: datetime
    backbone: str
    fingerprint: str
    feature_size: int
    items: Sequence[Labelled]
    assessments: Mapping[SplitKind, tuple[CrossValidation, CrossValidation | None]]
    costs: Costs
    test_size: float = 0.3
    snapshot_id: str | None = None
    candidate: str | None = None
    champion: str | None = None
    decision: Decision | None = None
    newest: Newest | None = None
    learning_curve: Sequence[CurvePoint] = ()
    problems: Mapping[SplitKind, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._+-]+", self.name):
            raise ValueError(f"a report is named by letters, digits, '.', '_', '+' and '-', not {self.name!r}")
        rows = [int(split.rows.max()) for ours, _ in self.assessments.values() for split in ours.splits]
        highest = max(rows, default=-1)
        if highest >= len(self.items):
            raise ValueError(f"row {highest} was assessed, but there are {len(self.items)} images")

    @property
    def sides(self) -> Int64Array:
        """The labels (n,) as 0 for intact and 1 for damaged."""
        return binary([item.label for item in self.items])

    @property
    def inserts(self) -> Int64Array:
        """The number (n,) of the insert that each image shows."""
        return np.asarray(np.unique([item.insert_key for item in self.items], return_inverse=True)[1], np.int64)


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write `evaluation.json`, `results<name>.txt` and the charts, replacing what `folder` held in one step; return
    `folder`.

    Without any assessment there are no charts.

    Raises:
        OSError: it cannot be written.
    """
    content = report_json(evaluation)
    captured = [item.captured_at for item in evaluation.items]
    drawn = {}
    if evaluation.assessments:
        drawn = figures(evaluation.assessments, evaluation.sides, captured, evaluation.costs)
    with replaced_folder(folder) as temporary:
        (temporary / REPORT_FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (temporary / f"results{evaluation.name}.txt").write_text(report_text(evaluation), "utf-8")
        for name, image in drawn.items():
            (temporary / name).write_bytes(image)
    return folder


def report_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return all figures, every split's scores, and the misclassified images, as plain JSON values."""
    limits = band(evaluation.costs)
    return {
        "schema_version": SCHEMA_VERSION,
        "name": evaluation.name,
        "at": evaluation.at.isoformat(),
        "backbone": evaluation.backbone,
        "fingerprint": evaluation.fingerprint,
        "feature_size": evaluation.feature_size,
        "snapshot_id": evaluation.snapshot_id,
        "candidate": evaluation.candidate,
        "champion": evaluation.champion,
        "images": len(evaluation.items),
        "inserts": len(np.unique(evaluation.inserts)),
        "assessed": len(assessed_rows(evaluation.inserts)),
        "labels": dict(sorted(Counter(item.label for item in evaluation.items).items())),
        "classes": list(LINE_CLASSES),
        "test_size": evaluation.test_size,
        "costs": asdict(evaluation.costs),
        "band": asdict(limits),
        "decision": asdict(evaluation.decision) if evaluation.decision else None,
        "newest": _newest_json(evaluation.newest),
        "learning_curve": [
            {"labels": point.labels, "balanced_accuracy": _interval_json(point.balanced_accuracy)}
            for point in evaluation.learning_curve
        ],
        "evaluations": {
            kind: {
                "candidate": _assessment_json(evaluation, candidate),
                "champion": _assessment_json(evaluation, champion) if champion else None,
            }
            for kind, (candidate, champion) in evaluation.assessments.items()
        },
        "problems": dict(evaluation.problems),
    }


def _assessed_lines(evaluation: Evaluation) -> list[str]:
    assessed = len(assessed_rows(evaluation.inserts))
    if assessed == len(evaluation.items):
        return []
    return [f"Assessed: {assessed} images of whole inserts, drawn at random; the model learned from all"]


def report_text(evaluation: Evaluation) -> str:
    """Return the lab's `results<dataset>.txt` for a whole training procedure: one line a figure."""
    counts = Counter(item.label for item in evaluation.items)
    lines = [
        f"Dataset: {evaluation.name}",
        f"Classes: {', '.join(f'{number} = {name}' for number, name in enumerate(LINE_CLASSES))}",
        f"Images: {len(evaluation.items)} ({', '.join(f'{counts[label]} {label}' for label in sorted(counts))})",
        f"Inserts: {len(np.unique(evaluation.inserts))}",
        *_assessed_lines(evaluation),
        f"Model: {evaluation.backbone}",
        f"Feature vector size: {evaluation.feature_size}",
        f"Test share: {evaluation.test_size}",
        f"Costs: {', '.join(f'{name} {value:g}' for name, value in asdict(evaluation.costs).items())}",
    ]
    for kind, (candidate, champion) in evaluation.assessments.items():
        lines += ["", *_assessment_lines(evaluation, candidate, f"{kind}: ")]
        if champion:
            lines += ["", *_assessment_lines(evaluation, champion, f"{kind}, champion: ")]
    for kind, problem in evaluation.problems.items():
        lines += ["", f"{kind}: no scores, {problem}"]
    if evaluation.decision:
        lines += ["", f"Promote: {'yes' if evaluation.decision.promote else 'no'}"]
        lines += [f"  {reason}" for reason in evaluation.decision.reasons]
    return "\n".join(lines) + "\n"


def _assessment_json(evaluation: Evaluation, assessment: CrossValidation) -> dict[str, Any]:
    labels, items = evaluation.sides, evaluation.items
    answers = pool(assessment, labels)
    return {
        "splits": len(assessment.splits),
        "seeds": [split.seed for split in assessment.splits],
        "tested_over_trained": assessment.tested_over_trained,
        "scores": {name: _score_json(assessment, name) for name in SCORES},
        "confusion": total_confusion(assessment).tolist(),
        "decided_at": {"accuracy": ACCURACY, "share": _interval_json(_decided(evaluation, answers))},
        "trades": _curve_json(evaluation, answers),
        "reliability": [asdict(bucket) for bucket in answers.reliability()],
        "over_time": [
            asdict(period) | {"start": period.start.isoformat(), "end": period.end.isoformat()}
            for period in answers.over_time([item.captured_at for item in items])
        ],
        "by_machine": assessment.by_place(labels, [item.machine for item in items]),
        "by_station": assessment.by_place(labels, [item.station for item in items]),
        "wrong": [
            {
                "capture_id": str(items[answer.row].capture_id),
                "image": items[answer.row].image,
                "label": items[answer.row].label,
                "insert": items[answer.row].insert_key,
                "machine": items[answer.row].machine,
                "station": items[answer.row].station,
                "tested": answer.tested,
                "wrong": answer.wrong,
            }
            for answer in assessment.wrong(labels)
        ],
    }


def _assessment_lines(evaluation: Evaluation, assessment: CrossValidation, prefix: str) -> list[str]:
    answers = pool(assessment, evaluation.sides)
    lines = [
        f"{prefix}split {split.seed}: accuracy {split.scores.accuracy:.6f}, "
        f"macro recall {split.scores.balanced_accuracy:.6f}"
        for split in assessment.splits
    ]
    for name in SCORES:
        if interval := assessment.interval(name):
            lines.append(f"{prefix}mean {name.replace('_', ' ')}: {_shown(interval)}")
    lines.append(f"{prefix}share decided at accuracy {ACCURACY}: {_shown(_decided(evaluation, answers))}")
    lines.append(f"{prefix}confusion matrix, all splits added up (rows true): {total_confusion(assessment).tolist()}")
    return lines


def _decided(evaluation: Evaluation, answers: PooledPredictions) -> Interval:
    return answers.decided(band(evaluation.costs), evaluation.inserts, ACCURACY)


def _curve_json(evaluation: Evaluation, answers: PooledPredictions) -> list[dict[str, float]]:
    curve = answers.risk_coverage_curve(band(evaluation.costs))
    places = np.unique(np.linspace(0, len(curve) - 1, _CURVE_POINTS).round().astype(int))
    return [{"share": curve[place].coverage, "accuracy": curve[place].accuracy} for place in places]


def _score_json(assessment: CrossValidation, name: str) -> dict[str, Any] | None:
    interval = assessment.interval(name)
    return None if interval is None else _interval_json(interval) | {"splits": assessment.values(name)}


def _interval_json(interval: Interval) -> dict[str, float | None]:
    """Mean and limits, null where these are unknown: one split alone, or the same value in all."""
    known = np.isfinite(interval.high) and interval.low < interval.high
    return {"mean": interval.mean, "low": interval.low if known else None, "high": interval.high if known else None}


def _newest_json(newest: Newest | None) -> dict[str, Any] | None:
    """How many of the newest images each model gets right, by the sign of its decision value."""
    if newest is None or not len(newest.labels):
        return None
    damaged = newest.labels == 1
    content: dict[str, Any] = {"images": len(damaged), "damaged": int(damaged.sum())}
    for name, decisions in (("candidate", newest.candidate), ("champion", newest.champion)):
        if decisions is None:
            content[name] = None
        else:
            right = (decisions > 0) == damaged
            content[name] = {"right": int(right.sum()), "damaged_found": int((right & damaged).sum())}
    return content


def _shown(interval: Interval) -> str:
    limits = _interval_json(interval)
    if limits["low"] is None:
        return f"{interval.mean:.6f}, no interval"
    return f"{interval.mean:.6f}, 95 % interval {interval.low:.6f} to {interval.high:.6f}"
