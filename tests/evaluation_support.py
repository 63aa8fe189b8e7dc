"""A real evaluation of made-up features: what `insert-worker evaluate` writes about a model, within a second."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np

from db.learning.reviews import Labelled
from worker.evaluation.cross_validation import cross_validate
from worker.evaluation.learning_curve import learning_curve
from worker.evaluation.promotion_rule import decide
from worker.evaluation.report import Evaluation, report_json
from worker.models.costs import Costs

START = datetime(2026, 3, 1, tzinfo=UTC)
COUNT = 120


def report_of(candidate: str, champion: str | None = None, captures: Sequence[UUID] = ()) -> dict[str, Any]:
    """The report about a candidate, beside a champion where one is named; those that are wrong are of `captures`."""
    report: dict[str, Any] = json.loads(_report()) | {"candidate": candidate, "champion": champion}
    for pair in report["evaluations"].values():
        if champion is None:
            pair["champion"] = None
        for capture_id, wrong in zip(captures, pair["candidate"]["wrong"], strict=False):
            wrong["capture_id"] = str(capture_id)
    return report


@cache
def _report() -> str:
    rng = np.random.default_rng(0)
    inserts = np.repeat(np.arange(COUNT // 3), 3)
    sides = (inserts % 2).astype(np.int64)
    features = (rng.normal(size=(COUNT, 12)) + 0.5 * sides[:, None] * rng.normal(size=12)).astype(np.float32)
    known = np.where(rng.random(COUNT) < 0.5, sides, -1)
    found = cross_validate(features, sides, inserts, costs=Costs(), repeats=5, champion_labels=known)
    curve = learning_curve(features, sides, inserts, np.arange(COUNT), found["grouped"][0], Costs())
    evaluation = Evaluation(
        name="candidate",
        at=START,
        backbone="insertnet:features",
        fingerprint="f" * 64,
        feature_size=12,
        items=[_labelled(row, side) for row, side in enumerate(sides.tolist())],
        assessments=found,
        costs=Costs(),
        candidate="candidate",
        champion="champion",
        decision=decide(*found["grouped"]),
        learning_curve=curve,
    )
    return json.dumps(report_json(evaluation))


def _labelled(row: int, side: int) -> Labelled:
    return Labelled(
        capture_id=UUID(int=row + 1),
        image=f"station-1/{row}.jpg",
        image_sha256=f"{row:064x}",
        region=None,
        label="worn" if side else "intact",
        insert_key=f"mill-1/H12/1/{row // 3}",
        machine="mill-1",
        station="station-1",
        captured_at=START + timedelta(hours=row),
        review_id=row + 1,
    )
